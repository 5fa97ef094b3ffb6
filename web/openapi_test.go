package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/websocket"

	"haidang/devices/people"
)

// Every route is described, and everything that is described is served.
func TestEveryRouteIsDescribed(t *testing.T) {
	h := newHouse(t, nil)
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	err = chi.Walk(h.srv.handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !isPage(route) {
			served = append(served, method+" "+route)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(served)
	described := c.operations()
	for _, op := range served {
		if !slices.Contains(described, op) {
			t.Errorf("%s is served, and not described", op)
		}
	}
	for _, op := range described {
		if !slices.Contains(served, op) {
			t.Errorf("%s is described, and not served", op)
		}
		for _, name := range strings.Split(op, "/") {
			if name, is := strings.CutPrefix(name, "{"); is && !c.hasParameter(op, strings.TrimSuffix(name, "}")) {
				t.Errorf("%s: the parameter %s is not described", op, name)
			}
		}
	}
	if len(described) < 35 {
		t.Errorf("only %d operations", len(described))
	}
}

func (c *contract) hasParameter(op, name string) bool {
	method, path, _ := strings.Cut(op, " ")
	item, _ := c.at("paths", path)
	both, _ := item["parameters"].([]any)
	own, _ := c.operation(op)["parameters"].([]any)
	_ = method
	return slices.ContainsFunc(append(both, own...), func(p any) bool {
		v := p.(map[string]any)
		if ref, ok := v["$ref"].(string); ok {
			v, _ = c.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		return v["name"] == name
	})
}

// x-action is what the server asks for: each role is tried on each operation.
// One that names neither an action nor that it is for everybody fails.
func TestRightsAreAsDescribed(t *testing.T) {
	h := newHouse(t, nil)
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	own := h.account("own", people.Grant{Role: "viewer"})
	roles := append([]people.Role{{}}, h.srv.People.Roles()...)
	fill := strings.NewReplacer("{id}", "x", "{code}", "x", "{step}", "accept", "{file}", "x.jpg", "{format}", "x", "{secret}", "x", "{name}", "x", "{command}", "x", "{batch}", "x", "{credential}", "1", "{key}", "x", "{fingerprint}", "x")
	for _, op := range c.operations() {
		method, path, _ := strings.Cut(op, " ")
		action, guarded := c.operation(op)["x-action"].(string)
		security, said := c.operation(op)["security"].([]any)
		if !guarded && !(said && len(security) == 0) {
			t.Errorf("%s has no x-action, and no security: [] either", op)
			continue
		}
		for _, role := range roles {
			var may bool
			switch action {
			case "", "any":
				may = action == "" || role.ID != ""
			case "account", "device": // no role gives that
			default:
				if !slices.Contains(people.Actions, people.Action(action)) {
					t.Fatalf("%s: x-action %q is no action", op, action)
				}
				may = slices.Contains(role.Actions, people.Action(action))
			}
			status := h.call(role.ID, method, fill.Replace(path), "", nil).StatusCode
			refused := status == 403 || status == 401 && op != "POST /api/v1/session" // a wrong token is no missing right
			if refused == may {
				t.Errorf("%s answers %d to role %q; x-action says %q", op, status, role.ID, action)
			}
		}
		if action == "account" {
			if status := h.call("", method, fill.Replace(path), "", nil, "Cookie", own).StatusCode; status == 401 || status == 403 {
				t.Errorf("%s answers %d to an account", op, status)
			}
		}
	}
}

// Each role is tried on each channel of the websocket.
func TestChannelsAskForRights(t *testing.T) {
	h := newHouse(t, nil)
	if len(channels) != 6 {
		t.Errorf("%d channels: say in rights.go what each needs", len(channels))
	}
	for _, role := range h.srv.People.Roles() {
		conn := h.connect("Authorization", "Bearer "+role.ID)
		for name, action := range channels {
			conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"subscribe","channel":"`+name+`"}`))
			var f struct{ Type, Channel, Code string }
			if err := conn.ReadJSON(&f); err != nil {
				t.Fatal(err)
			}
			if allowed := f.Channel == name; allowed != slices.Contains(role.Actions, action) || !allowed && f.Code != "forbidden" {
				t.Errorf("role %s, channel %s: %+v", role.ID, name, f)
			}
			conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"unsubscribe","channel":"`+name+`"}`))
		}
	}
}

// What the document gives as examples is what it describes.
func TestExamplesAreValid(t *testing.T) {
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(v any, where string)
	walk = func(v any, where string) {
		switch v := v.(type) {
		case map[string]any:
			if example, ok := v["example"]; ok {
				n++
				if err := c.validate(where+"/schema", example); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
			if examples, ok := v["examples"].([]any); ok {
				for _, example := range examples {
					n++
					if err := c.validate(where, example); err != nil {
						t.Errorf("%s: %v", where, err)
					}
				}
			}
			for k, x := range v {
				walk(x, where+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
			}
		case []any:
			for i, x := range v {
				walk(x, fmt.Sprintf("%s/%d", where, i))
			}
		}
	}
	walk(c.doc, "")
	if n < 15 {
		t.Errorf("only %d examples", n)
	}
}

// Every operation is called so that it succeeds, with the document's own
// examples where it has some; the house holds each answer to its schema.
func TestEveryAnswerIsAsDescribed(t *testing.T) {
	h := newHouse(t, withFormats)
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	// do sends the example of the operation, or body when that is given.
	do := func(as, op, at string, status int, body ...string) map[string]any {
		t.Helper()
		method, _, _ := strings.Cut(op, " ")
		text := strings.Join(body, "")
		if example, _ := c.at("paths", strings.TrimPrefix(op, method+" "), strings.ToLower(method), "requestBody", "content", "application/json"); len(body) == 0 && example["example"] != nil {
			b, err := json.Marshal(example["example"])
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		var got json.RawMessage
		into := any(&got)
		if status == 204 || strings.HasPrefix(at, "/healthz") || strings.HasPrefix(at, "/readyz") || at == "/metrics" || strings.HasPrefix(at, "/osmand") || strings.Contains(at, "export=") || strings.HasSuffix(at, "/payload") || strings.HasPrefix(at, "/media") || strings.Contains(at, "/export") || strings.Contains(at, "/labels") || strings.HasSuffix(at, "/secrets") {
			into = nil
		}
		before, _, err := h.srv.Audit.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if res := h.call(as, method, at, text, into); res.StatusCode != status {
			t.Fatalf("%s: %d, want %d: %s", op, res.StatusCode, status, got)
		}
		if method != "GET" {
			h.recorded(op, at, status, before)
		}
		var v map[string]any
		json.Unmarshal(got, &v)
		return v
	}
	get := func(path string) map[string]any { t.Helper(); return do("operator", "GET "+path, path, 200) }
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/api/v1/device-types", "/api/v1/areas", "/api/v1/agencies", "/api/v1/report-categories"} {
		get(path)
	}
	do("operator", "GET /api/v1/areas", "/api/v1/areas?at=2025-06-30&q=dong+hoi&limit=1", 200)
	do("operator", "GET /api/v1/areas", "/api/v1/areas?q=nui+thanh", 200)
	do("operator", "GET /api/v1/areas/at", "/api/v1/areas/at?lat=17.3&lon=106.5", 200)
	do("operator", "GET /api/v1/areas/{code}", "/api/v1/areas/quang-tri", 200)
	do("operator", "GET /api/v1/areas/{code}", "/api/v1/areas/quang-binh?at=2025-06-30", 200)
	const file = "code,name,type,parent,valid_from\ndong-hoi-1,Nam Lý,Phường,quang-tri,2025-07-01\n"
	preview := do("operator", "POST /api/v1/areas/import", "/api/v1/areas/import", 200, file)["token"].(string)
	do("operator", "POST /api/v1/areas/import", "/api/v1/areas/import?preview="+preview, 200, file)
	do("operator", "POST /api/v1/areas/import", "/api/v1/areas/import", 200, "code,name\n")
	get("/api/v1/stats/areas")
	do("operator", "POST /api/v1/agencies", "/api/v1/agencies", 201)
	const agency = "/api/v1/agencies/ubnd-phuong-dong-hoi"
	do("operator", "PUT /api/v1/agencies/{id}", agency, 200, `{"name":"UBND phường Đồng Hới"}`)
	do("operator", "GET /api/v1/agencies/{id}", agency, 200)
	do("operator", "DELETE /api/v1/agencies/{id}", agency, 204)
	const office = "id,name,phone\nvan-phong-ubnd,Văn phòng UBND tỉnh,0232 3822 001\ncap-2,Cấp nước 2,\n"
	preview = do("operator", "POST /api/v1/agencies/import", "/api/v1/agencies/import", 200, office)["token"].(string)
	do("operator", "POST /api/v1/agencies/import", "/api/v1/agencies/import?preview="+preview, 200, office)
	get("/api/v1/calendars")
	do("operator", "PUT /api/v1/calendars/{id}", "/api/v1/calendars/hanh-chinh", 200)
	do("operator", "DELETE /api/v1/calendars/{id}", "/api/v1/calendars/ca-24-7", 204)
	do("", "POST /api/v1/session", "/api/v1/session", 200)
	get("/api/v1/session")
	do("operator", "DELETE /api/v1/session", "/api/v1/session", 204)

	const dev = "/api/v1/devices/{id}"
	own := func(leaf string) (op, at string) {
		return dev + leaf, strings.Replace(dev+leaf, "{id}", "qb-air-09", 1)
	}
	do("integrator", "POST /api/v1/devices", "/api/v1/devices", 201)
	op, at := own("/secret")
	do("operator", "POST "+op, at, 200)
	op, at = own("/credentials")
	issued := do("integrator", "POST "+op, at, 201)["credential"].(map[string]any)
	do("operator", "GET "+op, at, 200)
	do("admin", "DELETE "+op+"/{credential}", fmt.Sprintf("%s/%.0f", at, issued["id"]), 200)
	key := do("admin", "POST /api/v1/provisioning-keys", "/api/v1/provisioning-keys", 201)
	do("", "POST /api/v1/provision", "/api/v1/provision", 200) // the example's key is nobody's
	name := key["provisioning_key"].(map[string]any)["key"].(string)
	ask := fmt.Sprintf(`{"deviceName":"qb-level-31","provisionDeviceKey":%q,"provisionDeviceSecret":%q}`, name, key["secret"])
	for _, want := range []string{"SUCCESS", "FAILURE"} {
		if got := do("", "POST /api/v1/provision", "/api/v1/provision", 200, ask)["status"]; got != want {
			t.Errorf("provisioning: %v, want %s", got, want)
		}
	}
	get("/api/v1/provisioning-keys")
	do("operator", "DELETE /api/v1/provisioning-keys/{key}", "/api/v1/provisioning-keys/"+name, 200)
	op, at = own("/certificates")
	request, err := json.Marshal(map[string]string{"csr": certificateRequest(t)})
	if err != nil {
		t.Fatal(err)
	}
	signed := do("operator", "POST "+op, at, 201, string(request))["certificate"].(map[string]any)
	do("operator", "GET "+op, at, 200)
	do("operator", "DELETE "+op+"/{fingerprint}", fmt.Sprintf("%s/%s", at, signed["fingerprint"]), 200)
	op, at = own("/readings")
	do("operator", "POST "+op, at, 202)
	do("operator", "POST "+op, at, 202, `[{"ts":"2026-11-01T00:00:00Z","values":{"pm25":1,"o3":2},"lat":17.5,"lon":106.6},{"values":{"pm25":2}}]`)
	h.eventually("the reading is known", func() bool {
		var d deviceView
		h.call("viewer", "GET", "/api/v1/devices/qb-air-09", "", &d)
		return d.Health != nil && len(d.Values) > 1
	})
	do("viewer", "GET "+op, at+"?from=2026-01-01T00:00:00Z&limit=1", 200)
	op, at = own("/series")
	do("viewer", "GET "+op, at+"?metric=pm25&from=2026-01-01T00:00:00Z", 200)
	do("viewer", "GET "+op, at+"?metric=pm25&window=5m&agg=mean,last", 200)
	op, at = own("/rollups")
	do("viewer", "GET "+op, at+"?metric=pm25&from=2026-01-01T00:00:00Z", 200)
	do("viewer", "GET "+op, at+"?metric=pm25&period=day&from=2026-01-01T00:00:00Z", 200)
	op, at = own("/events")
	do("operator", "POST "+op, at, 202)
	do("viewer", "GET "+op, at+"?limit=1", 200)
	said := time.Now().UTC().Truncate(time.Second).Format(time.RFC3339)
	do("operator", "POST "+op, at, 202, `{"ts":"`+said+`","type":"red_light","data":{"plate":"73A-123.45"}}`)
	do("shift_lead", "POST "+op+"/unmask", at+"/unmask", 200, `{"ts":"`+said+`","reason":"Xác minh vụ tai nạn"}`)
	get("/api/v1/devices")
	do("viewer", "GET "+dev, "/api/v1/devices/qb-air-09", 200)
	keepDevices(h, do)

	alert := h.raiseAlert()
	get("/api/v1/alerts")
	do("viewer", "GET /api/v1/alerts/{id}", "/api/v1/alerts/"+alert, 200)
	do("operator", "POST /api/v1/alerts/{id}/ack", "/api/v1/alerts/"+alert+"/ack", 200)

	code := do("", "POST /api/v1/reports", "/api/v1/reports", 201)["code"].(string)
	do("", "POST /api/v1/reports", "/api/v1/reports", 200) // the same client_id
	step := "POST /api/v1/reports/{code}/{step}"
	do("operator", step, "/api/v1/reports/"+code+"/assign", 200)
	do("operator", step, "/api/v1/reports/"+code+"/answer", 200)
	do("", "GET /api/v1/reports/{code}", "/api/v1/reports/"+code, 200)
	get("/api/v1/reports")
	photo := h.sendPhoto()
	do("", "GET /media/{file}", "/media/"+photo+".jpg", 200)

	order := do("operator", "POST /api/v1/work-orders", "/api/v1/work-orders", 201)["id"].(string)
	do("operator", "POST /api/v1/work-orders", "/api/v1/work-orders", 201, `{"crew":"crew-2","alert":"`+alert+`","report":"`+code+`"}`)
	do("crew-1", "POST /api/v1/work-orders/{id}/{step}", "/api/v1/work-orders/"+order+"/accept", 200)
	do("viewer", "GET /api/v1/work-orders/{id}", "/api/v1/work-orders/"+order, 200)
	get("/api/v1/work-orders")
	do("crew-1", "POST /api/v1/crews/{id}/position", "/api/v1/crews/crew-1/position", 204)
	get("/api/v1/crews")

	do("operator", "POST /api/v1/formats/{format}", "/api/v1/formats/plain", 202, "qb-air-09 pm25 12")
	do("operator", "POST /api/v1/indicators", "/api/v1/indicators", 202, "qb-air-09 pm25 13")
	do("operator", "POST /api/v2/write", "/api/v2/write", 204, "qb-air-09 pm25 14")
	do("operator", "POST /api/v2/write", "/api/v2/write", 400, "nobody pm25 14")
	do("operator", "GET /osmand", "/osmand?id=qb-air-09", 200)
	do("operator", "POST /osmand", "/osmand", 200, "qb-air-09 pm25 15")
	do("operator", "GET /osmand/{secret}", "/osmand/x?id=qb-air-09", 200)
	do("operator", "POST /osmand/{secret}", "/osmand/x", 200, "qb-air-09 pm25 16")

	items := get("/api/v1/dead-letters")["items"].([]any)
	do("operator", "GET /api/v1/dead-letters", "/api/v1/dead-letters?export=ndjson", 200)
	for _, what := range []string{"discard", "restore"} {
		do("operator", "POST /api/v1/dead-letters/"+what, "/api/v1/dead-letters/"+what+"?code=device_unknown", 200)
	}
	do("operator", "POST /api/v1/devices", "/api/v1/devices", 201, `{"id":"nobody","type":"air_station"}`)
	letter := ""
	for _, item := range items {
		if l := item.(map[string]any); l["code"] == "device_unknown" {
			letter = fmt.Sprint(int64(l["id"].(float64)))
		}
	}
	do("operator", "GET /api/v1/dead-letters/{id}", "/api/v1/dead-letters/"+letter, 200)
	do("operator", "GET /api/v1/dead-letters/{id}/payload", "/api/v1/dead-letters/"+letter+"/payload", 200)
	do("shift_lead", "POST /api/v1/dead-letters/{id}/unmask", "/api/v1/dead-letters/"+letter+"/unmask", 200)
	do("operator", "POST /api/v1/dead-letters/{id}/replay", "/api/v1/dead-letters/"+letter+"/replay", 202)
	do("operator", "POST /api/v1/dead-letters/replay", "/api/v1/dead-letters/replay", 200)
	get("/api/v1/stats")
	get("/api/v1/sources")
	h.callPeople(do)
	h.callRetention(do)

	for _, by := range []string{"agency", "vendor", "area", "type"} {
		do("viewer", "GET /api/v1/health", "/api/v1/health?window=7d&by="+by, 200)
	}
	do("viewer", "GET /api/v1/health/devices", "/api/v1/health/devices?sort=worst&limit=1", 200)
	op, at = own("/health")
	do("viewer", "GET "+op, at, 200)
	op, at = own("/commands")
	told := do("operator", "POST "+op, at, 202)["id"].(string)
	h.obey(told)
	told = do("operator", "POST "+op, at, 202)["id"].(string)
	do("viewer", "GET "+op, at+"?state=queued", 200)
	do("viewer", "GET "+op+"/{command}", at+"/"+told, 200)
	do("operator", "POST "+op+"/{command}/stop", at+"/"+told+"/stop", 200)
	op, at = own("/config")
	do("operator", "PUT "+op, at, 200)
	do("viewer", "GET "+op, at, 200)
	bulk := do("operator", "POST /api/v1/commands", "/api/v1/commands", 202)["id"].(string)
	get("/api/v1/commands")
	do("viewer", "GET /api/v1/commands/{batch}", "/api/v1/commands/"+bulk, 200)
	do("viewer", "GET /api/v1/commands/{batch}/devices", "/api/v1/commands/"+bulk+"/devices", 200)
	do("operator", "POST /api/v1/commands/{batch}/stop", "/api/v1/commands/"+bulk+"/stop", 200)

	for _, op := range c.operations() {
		responses, _ := c.operation(op)["responses"].(map[string]any)
		for status := range responses {
			if strings.HasPrefix(status, "2") && !h.seen[op+" "+status] {
				t.Errorf("%s was never seen to answer %s", op, status)
			}
		}
	}
}

// keepDevices does what is done with devices and their types.
func keepDevices(h *house, do func(as, op, at string, status int, body ...string) map[string]any) {
	h.t.Helper()
	const dev, typ = "/api/v1/devices/{id}", "/api/v1/device-types/{id}"
	do("operator", "POST "+dev+"/life", "/api/v1/devices/qb-air-09/life", 200)
	do("operator", "POST "+dev+"/life", "/api/v1/devices/qb-air-09/life", 200, `{"life":"active","reason":"đã sửa","replay":true}`)
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		h.t.Fatal(err)
	}
	do("operator", "PUT "+dev+"/photo", "/api/v1/devices/qb-air-09/photo", 200, pic.String())
	do("operator", "DELETE "+dev+"/photo", "/api/v1/devices/qb-air-09/photo", 200)
	var d deviceView
	h.call("operator", "PATCH", "/api/v1/devices/qb-air-09", h.example("PATCH "+dev), &d, "If-Match", "*")
	if d.Notes == "" {
		h.t.Errorf("the example of an edit was not taken: %+v", d)
	}
	h.call("operator", "POST", "/api/v1/formats/plain", "qb-air-77 pm25 12", nil)
	do("viewer", "GET /api/v1/devices", "/api/v1/devices?life=discovered", 200)
	do("operator", "POST "+dev+"/approve", "/api/v1/devices/qb-air-77/approve", 200)
	do("viewer", "GET /api/v1/devices/export", "/api/v1/devices/export?life=all", 200)
	do("viewer", "GET /api/v1/devices/labels", "/api/v1/devices/labels", 200)
	do("operator", "POST /api/v1/devices/area-moves", "/api/v1/devices/area-moves", 200)
	const table = "id,type\nqb-31,water_level\n"
	do("operator", "POST /api/v1/devices/import", "/api/v1/devices/import?dry_run=true", 200, table)
	do("operator", "POST /api/v1/devices/import", "/api/v1/devices/import", 422, "id\nx\n")
	id := do("operator", "POST /api/v1/devices/import", "/api/v1/devices/import?async=true&secrets=true", 202, table)["id"].(string)
	h.eventually("the import ends", func() bool {
		return do("operator", "GET /api/v1/imports/{id}", "/api/v1/imports/"+id, 200)["state"] == "done"
	})
	do("operator", "GET /api/v1/imports", "/api/v1/imports", 200)
	do("operator", "POST /api/v1/imports/{id}/stop", "/api/v1/imports/"+id+"/stop", 200)
	do("operator", "POST /api/v1/imports/{id}/secrets", "/api/v1/imports/"+id+"/secrets", 200)

	do("operator", "PUT "+typ, "/api/v1/device-types/wind_station", 200)
	do("viewer", "GET "+typ, "/api/v1/device-types/wind_station", 200)
	do("operator", "DELETE "+typ, "/api/v1/device-types/wind_station", 204)
	do("viewer", "GET /api/v1/device-types/export", "/api/v1/device-types/export", 200)
	do("operator", "POST /api/v1/device-types/import", "/api/v1/device-types/import", 200, h.example("POST /api/v1/device-types/import"))
}

// example is the body that the document gives for an operation.
func (h *house) example(op string) string {
	h.t.Helper()
	c, err := loadContract()
	if err != nil {
		h.t.Fatal(err)
	}
	method, path, _ := strings.Cut(op, " ")
	contents, _ := c.at("paths", path, strings.ToLower(method), "requestBody", "content")
	for kind := range contents {
		content, _ := c.at("paths", path, strings.ToLower(method), "requestBody", "content", kind)
		if text, ok := content["example"].(string); ok {
			return text
		}
		b, err := json.Marshal(content["example"])
		if err != nil {
			h.t.Fatal(err)
		}
		return string(b)
	}
	return ""
}
