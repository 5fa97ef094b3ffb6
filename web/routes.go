package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// routes is every path the server answers and the role it needs.
func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer, secure, s.identify, http.NewCrossOriginProtection().Handler)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoRoute) })
	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	r.Method(http.MethodGet, "/metrics", s.need(Viewer, s.metrics().ServeHTTP))
	r.Get("/openapi.json", s.openAPI)
	r.Get("/media/{file}", s.getPhoto)
	r.Get("/ws", s.need(Viewer, s.ws))

	r.Route("/api/v1", func(r chi.Router) {
		r.Use(middleware.Compress(5, "application/json"))
		r.Get("/session", s.getSession)
		r.Post("/session", s.limited(s.signIns, s.postSession))
		r.Delete("/session", s.deleteSession)

		r.Get("/device-types", s.need(Viewer, s.listTypes))
		r.Get("/areas", s.need(Viewer, s.listAreas))
		r.Get("/agencies", s.need(Viewer, s.listAgencies))
		r.Get("/devices", s.need(Viewer, s.listDevices))
		r.Post("/devices", s.need(Operator, s.postDevice))
		r.Get("/devices/{id}", s.need(Viewer, s.getDevice))
		r.Post("/devices/{id}/secret", s.need(Operator, s.postSecret))
		r.Get("/devices/{id}/readings", s.need(Viewer, s.listReadings))
		r.Post("/devices/{id}/readings", s.postReadings)
		r.Post("/devices/{id}/events", s.postReadings)
		r.Get("/devices/{id}/series", s.need(Viewer, s.getSeries))

		r.Get("/alerts", s.need(Viewer, s.listAlerts))
		r.Get("/alerts/{id}", s.need(Viewer, s.getAlert))
		r.Post("/alerts/{id}/ack", s.need(Operator, s.ackAlert))

		r.Get("/report-categories", s.listCategories)
		r.Post("/reports", s.limited(s.submits, s.postReport))
		r.Get("/reports", s.need(Viewer, s.listReports))
		r.Get("/reports/{code}", s.getReport)
		r.Post("/reports/{code}/{step}", s.need(Operator, s.stepReport))

		r.Get("/crews", s.need(Viewer, s.listCrews))
		r.Post("/crews/{id}/position", s.need(CrewRole, s.postCrewPosition))
		r.Get("/work-orders", s.need(Viewer, s.listWorkOrders))
		r.Post("/work-orders", s.need(Operator, s.postWorkOrder))
		r.Get("/work-orders/{id}", s.need(Viewer, s.getWorkOrder))
		r.Post("/work-orders/{id}/{step}", s.need(CrewRole, s.stepWorkOrder))

		r.Get("/dead-letters", s.need(Viewer, s.listDeadLetters))
		r.Post("/dead-letters/{id}/replay", s.need(Operator, s.replayDeadLetter))
		r.Get("/stats", s.need(Viewer, s.getStats))
	})
	s.pages(r)
	return r
}
