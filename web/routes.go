package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// routes is every path the server answers and who may ask for it; what names
// no roles is for everybody.
func (s *Server) routes() *chi.Mux {
	r := chi.NewRouter()
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errCrossOrigin) }))
	r.Use(number, s.recoverer, secure, s.identify, origin.Handler)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute) })
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errMethod) })
	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	r.Method(http.MethodGet, "/metrics", s.need(readers, s.metrics().ServeHTTP))
	r.Get("/openapi.json", s.openAPI)
	r.Get("/media/{file}", s.getPhoto)
	r.Get("/ws", s.need(readers, s.ws))
	// Paths that other products' senders know.
	r.Post("/api/v2/write", s.need(keepers, s.influxWrite))
	for _, path := range []string{"/osmand", "/osmand/{secret}"} {
		r.Get(path, s.takeOsmAnd)
		r.Post(path, s.takeOsmAnd)
	}

	r.Route("/api/v1", func(r chi.Router) {
		r.Use(middleware.Compress(5, "application/json"))
		r.Get("/session", s.getSession)
		r.Post("/session", s.limited(s.signIns, s.postSession))
		r.Delete("/session", s.deleteSession)

		r.Get("/device-types", s.need(readers, s.listTypes))
		r.Get("/device-types/export", s.need(readers, s.exportTypes))
		r.Post("/device-types/import", s.need(operators, s.importTypes))
		r.Get("/device-types/{id}", s.need(readers, s.getType))
		r.Put("/device-types/{id}", s.need(operators, s.putType))
		r.Delete("/device-types/{id}", s.need(operators, s.deleteType))
		r.Get("/areas", s.need(readers, s.listAreas))
		r.Get("/areas/at", s.need(readers, s.findArea))
		r.Post("/areas/import", s.need(operators, s.importAreas))
		r.Get("/areas/{code}", s.need(readers, s.getArea))
		r.Get("/agencies", s.need(readers, s.listAgencies))
		r.Post("/agencies", s.need(operators, s.postAgency))
		r.Post("/agencies/import", s.need(operators, s.importAgencies))
		r.Get("/agencies/{id}", s.need(readers, s.getAgency))
		r.Put("/agencies/{id}", s.need(operators, s.putAgency))
		r.Delete("/agencies/{id}", s.need(operators, s.deleteAgency))
		r.Get("/devices", s.need(readers, s.listDevices))
		r.Post("/devices", s.need(keepers, s.postDevice))
		r.Get("/devices/export", s.need(readers, s.exportDevices))
		r.Get("/devices/labels", s.need(readers, s.getLabels))
		r.Post("/devices/import", s.need(keepers, s.importDevices))
		r.Get("/imports", s.need(keepers, s.listImports))
		r.Get("/imports/{id}", s.need(keepers, s.getImport))
		r.Post("/imports/{id}/stop", s.need(keepers, s.stopImport))
		r.Post("/imports/{id}/secrets", s.need(keepers, s.getImportSecrets))
		r.Get("/devices/{id}", s.need(readers, s.getDevice))
		r.Patch("/devices/{id}", s.need(keepers, s.patchDevice))
		r.Post("/devices/{id}/approve", s.need(keepers, s.approveDevice))
		r.Post("/devices/{id}/life", s.need(operators, s.postLife))
		r.Put("/devices/{id}/photo", s.need(keepers, s.putDevicePhoto))
		r.Delete("/devices/{id}/photo", s.need(keepers, s.deleteDevicePhoto))
		r.Post("/devices/{id}/secret", s.need(keepers, s.postSecret))
		r.Get("/devices/{id}/credentials", s.need(keepers, s.listCredentials))
		r.Post("/devices/{id}/credentials", s.need(keepers, s.postCredential))
		r.Delete("/devices/{id}/credentials/{credential}", s.need(keepers, s.revokeCredential))
		r.Get("/devices/{id}/certificates", s.need(keepers, s.listCertificates))
		r.Post("/devices/{id}/certificates", s.need(keepers, s.postCertificate))
		r.Delete("/devices/{id}/certificates/{fingerprint}", s.need(keepers, s.revokeCertificate))
		r.Post("/provision", s.limited(s.provisions, s.postProvision))
		r.Get("/provisioning-keys", s.need(keepers, s.listKeys))
		r.Post("/provisioning-keys", s.need(keepers, s.postKey))
		r.Delete("/provisioning-keys/{key}", s.need(keepers, s.disableKey))
		r.Get("/devices/{id}/readings", s.need(readers, s.listReadings))
		r.Post("/devices/{id}/readings", s.postReadings)
		r.Get("/devices/{id}/events", s.need(readers, s.listEvents))
		r.Post("/devices/{id}/events", s.postReadings)
		r.Get("/devices/{id}/series", s.need(readers, s.getSeries))
		r.Get("/devices/{id}/rollups", s.need(readers, s.getRollups))

		r.Get("/alerts", s.need(readers, s.listAlerts))
		r.Get("/alerts/{id}", s.need(readers, s.getAlert))
		r.Post("/alerts/{id}/ack", s.need(operators, s.ackAlert))

		r.Get("/report-categories", s.listCategories)
		r.Post("/reports", s.limited(s.submits, s.postReport))
		r.Get("/reports", s.need(readers, s.listReports))
		r.Get("/reports/{code}", s.limited(s.lookups, s.getReport))
		r.Post("/reports/{code}/{step}", s.need(operators, s.stepReport))

		r.Get("/crews", s.need(readers, s.listCrews))
		r.Post("/crews/{id}/position", s.need(fielders, s.postCrewPosition))
		r.Get("/work-orders", s.need(readers, s.listWorkOrders))
		r.Post("/work-orders", s.need(operators, s.postWorkOrder))
		r.Get("/work-orders/{id}", s.need(readers, s.getWorkOrder))
		r.Post("/work-orders/{id}/{step}", s.need(fielders, s.stepWorkOrder))

		r.Get("/sources", s.need(readers, s.listSources))
		r.Post("/formats/{format}", s.need(keepers, s.postForeign))
		r.Post("/indicators", s.need(keepers, s.postIndicators))
		r.Get("/dead-letters", s.need(keepers, s.listDeadLetters))
		r.Post("/dead-letters/replay", s.need(keepers, s.replayDeadLetters))
		r.Post("/dead-letters/discard", s.need(keepers, s.discardDeadLetters))
		r.Post("/dead-letters/restore", s.need(keepers, s.restoreDeadLetters))
		r.Get("/dead-letters/{id}", s.need(keepers, s.getDeadLetter))
		r.Get("/dead-letters/{id}/payload", s.need(keepers, s.getDeadLetterPayload))
		r.Post("/dead-letters/{id}/replay", s.need(keepers, s.replayDeadLetter))
		r.Get("/stats", s.need(readers, s.getStats))
		r.Get("/stats/areas", s.need(readers, s.getAreaStats))
	})
	s.pages(r)
	return r
}
