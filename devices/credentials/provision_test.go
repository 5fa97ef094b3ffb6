package credentials_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
)

func (h *house) provision(t *testing.T, request string) (a credentials.Answer) {
	t.Helper()
	if err := json.Unmarshal(h.ProvisionJSON(t.Context(), []byte(request), here), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) key(t *testing.T, k credentials.Key) (key *credentials.Key, ask func(name, more string) string) {
	t.Helper()
	key, secret, err := h.CreateKey(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return key, func(name, more string) string {
		return `{"deviceName":"` + name + `","provisionDeviceKey":"` + key.Key + `","provisionDeviceSecret":"` + secret + `"` + more + `}`
	}
}

func TestDeviceRegistersItself(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	key, ask := h.key(t, credentials.Key{Label: "đợt 2", Type: "water_level", Area: "le-thuy", Most: 2})
	a := h.provision(t, ask("qb-level-31", `,"credentialsType":"MQTT_BASIC","more":1`))
	if a.Status != "SUCCESS" || a.Type != "MQTT_BASIC" || a.Value == nil || a.Value.Username != "qb-level-31" || a.Value.ClientID != "qb-level-31" {
		t.Fatalf("%+v", a)
	}
	if !h.lets(t, a.Value.Username, a.Value.Password) {
		t.Error("what it was given does not let it in")
	}
	if d, ok := h.registry.Get("qb-level-31"); !ok || d.Type != "water_level" || d.Area != "le-thuy" {
		t.Errorf("registered as %+v", d)
	}
	for name, c := range map[string]struct{ request, says string }{
		"the same again":      {ask("QB-Level-31", ""), "there is a device"},
		"one of others":       {ask("a", ""), "there is a device"},
		"no id":               {ask("tàu 1", ""), "device id"},
		"a secret of its own": {ask("b-1", `,"credentialsType":"MQTT_BASIC","username":"u","password":"0000"`), "made here"},
		"a token":             {ask("b-1", `,"credentialsType":"ACCESS_TOKEN","token":"x"`), "made here"},
		"no JSON":             {`{"deviceName":`, "not the JSON"},
		"a list":              {`[]`, "not the JSON"},
	} {
		if a := h.provision(t, c.request); a.Status != "FAILURE" || a.Value != nil || !strings.Contains(a.Error, c.says) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := h.provision(t, strings.Replace(ask("b-1", ""), key.Key, "OTHER", 1)); a.Status != "NOT_FOUND" {
		t.Errorf("an unknown key: %+v", a)
	}
	if a := h.provision(t, ask("", "")); a.Status != "SUCCESS" || !strings.HasPrefix(a.Value.Username, "d-") {
		t.Errorf("without a name: %+v", a)
	}
	if a := h.provision(t, ask("b-2", "")); a.Status != "FAILURE" || !strings.Contains(a.Error, "good for 2") {
		t.Errorf("beyond the limit: %+v", a)
	}
	if _, ok := h.registry.Get("b-2"); ok {
		t.Error("a refused device is registered")
	}
	keys, err := h.Keys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].Used != 2 || keys[0].Label != "đợt 2" {
		t.Errorf("keys %+v %v", keys, err)
	}
	if entries, err := h.trail.List(t.Context(), audit.Filter{Action: "provisioning.use"}); err != nil || len(entries) != 2 || entries[1].Who != "provisioning key "+key.Key || entries[1].Address != "203.0.113.7" {
		t.Errorf("the audit log says %+v %v", entries, err)
	}
}

func TestKeysEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir(), nil)
		defer h.db.Close()
		key, ask := h.key(t, credentials.Key{Type: "generic", NotAfter: time.Now().Add(time.Hour)})
		if a := h.provision(t, ask("c-1", "")); a.Status != "SUCCESS" {
			t.Fatalf("%+v", a)
		}
		time.Sleep(time.Hour)
		if a := h.provision(t, ask("c-2", "")); a.Status != "FAILURE" || !strings.Contains(a.Error, "expired") {
			t.Errorf("after its time: %+v", a)
		}
		key, ask = h.key(t, credentials.Key{Type: "generic"})
		for range 2 {
			if k, err := h.DisableKey(t.Context(), key.Key); err != nil || k.DisabledAt.IsZero() {
				t.Fatal(err)
			}
		}
		if a := h.provision(t, ask("c-2", "")); a.Status != "FAILURE" || !strings.Contains(a.Error, "disabled") {
			t.Errorf("disabled: %+v", a)
		}
		for range 5 {
			h.provision(t, strings.Replace(ask("c-2", ""), `Secret":"`, `Secret":"x`, 1))
		}
		if a := h.provision(t, ask("c-2", "")); a.Status != "FAILURE" || !strings.Contains(a.Error, "too many") {
			t.Errorf("guessing goes on: %+v", a)
		}
	})
}

// A key for devices that are registered gives each its first credential, and
// never a second: it cannot take one over.
func TestKeyForRegisteredDevices(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	_, ask := h.key(t, credentials.Key{Existing: true})
	first := h.provision(t, ask("a", ""))
	if first.Status != "SUCCESS" || !h.lets(t, "a", first.Value.Password) {
		t.Fatalf("%+v", first)
	}
	c, _ := h.issue(t, "b", credentials.Terms{})
	if _, err := h.Revoke(t.Context(), "b", c.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", ""} {
		if a := h.provision(t, ask(name, "")); a.Status != "FAILURE" || a.Value != nil {
			t.Errorf("%q: %+v", name, a)
		}
	}
	if !h.lets(t, "a", first.Value.Password) {
		t.Error("it lost what it had")
	}
	for field, k := range map[string]credentials.Key{"type": {Type: "toaster"}, "area": {Type: "generic", Area: "hanoi"}, "limit": {Type: "generic", Most: -1}, "not_after": {Type: "generic", NotAfter: time.Now().Add(-time.Second)}} {
		if _, _, err := h.CreateKey(t.Context(), k); err == nil {
			t.Errorf("made a key with a bad %s", field)
		} else if fe, ok := err.(*devices.FieldError); !ok || fe.Field != field {
			t.Errorf("bad %s: %v", field, err)
		}
	}
}

// A key can have its devices wait for approval: they sign in, and are not in
// service until somebody says so. It names their agency, which must be one.
func TestKeyForDevicesThatWait(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	_, ask := h.key(t, credentials.Key{Type: "water_level", Pending: true})
	a := h.provision(t, ask("qb-level-41", ""))
	if a.Status != "SUCCESS" || !h.lets(t, a.Value.Username, a.Value.Password) {
		t.Fatalf("%+v", a)
	}
	if d, _ := h.registry.Get("qb-level-41"); d.Life != devices.Pending || d.Life.Speaks() {
		t.Errorf("it is %s", d.Life)
	}
	if _, err := h.registry.Approve(t.Context(), "qb-level-41", "đã lắp", func(*devices.Device) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if d, _ := h.registry.Get("qb-level-41"); !d.Life.Speaks() || !h.lets(t, a.Value.Username, a.Value.Password) {
		t.Errorf("approved, it is %s", d.Life)
	}
	for field, k := range map[string]credentials.Key{"agency": {Type: "water_level", Agency: "nobody"}, "pending": {Existing: true, Pending: true}} {
		if _, _, err := h.CreateKey(t.Context(), k); err == nil {
			t.Errorf("%s: it is made", field)
		} else if fe, ok := err.(*devices.FieldError); !ok || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	agency := h.registry.Agencies()[0].ID
	_, ask = h.key(t, credentials.Key{Type: "water_level", Agency: agency})
	if a := h.provision(t, ask("qb-level-42", "")); a.Status != "SUCCESS" {
		t.Fatalf("%+v", a)
	}
	if d, _ := h.registry.Get("qb-level-42"); d.Agency != agency || d.Life != devices.Active {
		t.Errorf("%+v", d)
	}
}
