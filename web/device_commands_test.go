package web

import (
	"encoding/base64"
	"fmt"
	"testing"

	"haidang/devices"
	"haidang/devices/commands"
)

// basic is the head by which a device signs in.
func basic(id, secret string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}
}

// obey lets qb-air-09 ask for what it is to do, over HTTP, and do a command.
func (h *house) obey(command string) {
	h.t.Helper()
	secret, err := h.srv.Credentials.IssueSecret(h.t.Context(), "qb-air-09")
	if err != nil {
		h.t.Fatal(err)
	}
	as := basic("qb-air-09", secret)
	const dev = "/api/v1/devices/qb-air-09"
	var p commands.Pending
	if h.call("", "GET", dev+"/commands/pending", "", &p, as...); len(p.Items) != 1 || p.Items[0].ID != command || p.Config != nil {
		h.t.Fatalf("pending: %+v, want %s", p, command)
	}
	if res := h.call("", "POST", dev+"/replies/"+p.Items[0].Name, fmt.Sprintf(`{"id":%q,"status":"succeeded"}`, command), nil, as...); res.StatusCode != 202 {
		h.t.Errorf("answer: %s", res.Status)
	}
	h.call("operator", "PUT", dev+"/config", `{"desired":{"interval_s":60}}`, nil)
	if h.call("", "GET", dev+"/commands/pending", "", &p, as...); len(p.Items) != 0 || p.Config == nil || p.Config.Version != 1 {
		h.t.Errorf("pending after it was done: %+v", p)
	}
	if res := h.call("", "POST", dev+"/config/reported", `{"version":1,"firmware":"1.4"}`, nil, as...); res.StatusCode != 202 {
		h.t.Errorf("report: %s", res.Status)
	}
	p = commands.Pending{}
	if h.call("", "GET", dev+"/commands/pending", "", &p, as...); p.Config != nil {
		h.t.Errorf("it reported the configuration and gets it again: %+v", p.Config)
	}
}

// A device is given its own commands alone, and by nobody's right but its own.
func TestDevicesAskForTheirOwnCommandsAlone(t *testing.T) {
	h := newHouse(t, nil)
	secrets := map[string]string{}
	for _, id := range []string{"a", "b"} {
		var made struct{ Secret string }
		h.call("operator", "POST", "/api/v1/devices", `{"id":"`+id+`","type":"air_station"}`, &made)
		secrets[id] = made.Secret
	}
	var c commands.Command
	h.call("operator", "POST", "/api/v1/devices/a/commands", `{"name":"restart","args":{"x":1}}`, &c)
	const at = "/api/v1/devices/a/commands/pending"
	for name, heads := range map[string][]string{"nobody": nil, "another": basic("b", secrets["b"]), "another's secret": basic("a", secrets["b"]), "an administrator": {"Authorization", "Bearer admin"}} {
		for _, ask := range []string{"GET " + at, "POST /api/v1/devices/a/replies/restart", "POST /api/v1/devices/a/config/reported"} {
			var method, path string
			fmt.Sscan(ask, &method, &path)
			if status := h.call("", method, path, fmt.Sprintf(`{"id":%q,"status":"failed","version":0}`, c.ID), nil, heads...).StatusCode; status != 401 && status != 403 {
				t.Errorf("%s of %s: %d", ask, name, status)
			}
		}
	}
	var p commands.Pending
	if h.call("", "GET", at, "", &p, basic("a", secrets["a"])...); len(p.Items) != 1 || p.Items[0].ID != c.ID || string(p.Items[0].Args) != `{"x":1}` {
		t.Errorf("pending: %+v", p)
	}
	if h.call("operator", "GET", "/api/v1/devices/a/commands/"+c.ID, "", &c); c.State != commands.Sent || c.Attempts != 1 {
		t.Errorf("the command is %+v", c)
	}
	if res := h.call("", "POST", "/api/v1/devices/a/replies/restart", `{"id":"nobody's","status":"failed"}`, nil, basic("a", secrets["a"])...); res.StatusCode != 422 {
		t.Errorf("an answer to no command: %s", res.Status)
	}
	if _, err := h.srv.Registry.SetLife(t.Context(), "a", devices.Suspended, "mất"); err != nil {
		t.Fatal(err)
	}
	if status := h.call("", "GET", at, "", nil, basic("a", secrets["a"])...).StatusCode; status != 401 && status != 403 {
		t.Errorf("suspended: %d", status)
	}
}
