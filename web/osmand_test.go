package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"haidang/ingest"
	"haidang/ingest/deadletters"
	"haidang/ingest/formats/osmand"
)

func withOsmAnd(o *Options) {
	o.Format = func(name string) (*ingest.Format, bool) {
		return &ingest.Format{Name: name, Decoder: osmand.New()}, name == osmAnd
	}
}

// phone is a device with a secret.
func (h *house) phone(id string) (secret string) {
	h.t.Helper()
	if res := h.call("integrator", "POST", "/api/v1/devices", `{"id":"`+id+`","type":"generic"}`, nil); res.StatusCode != 201 {
		h.t.Fatal(res.Status)
	}
	var got struct{ Secret string }
	h.call("integrator", "POST", "/api/v1/devices/"+id+"/secret", "", &got)
	return got.Secret
}

// However its app can say its secret, a phone is let in, as itself only.
func TestPhonesSignInWithTheirSecret(t *testing.T) {
	h := newHouse(t, withOsmAnd)
	secret, other := h.phone("phone-1"), h.phone("phone-2")
	send := func(method, at, kind, body, basic string) int {
		t.Helper()
		req, err := http.NewRequest(method, h.url+at, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		if basic != "" {
			req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(basic)))
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	const form, where = "application/x-www-form-urlencoded", "&lat=17.47&lon=106.62&timestamp="
	js := func(id string) string {
		return `{"device_id":"` + id + `","location":{"coords":{"latitude":17.5,"longitude":106.6,"speed":1}}}`
	}
	for _, c := range []struct {
		name, method, at, kind, body, basic string
		want                                int
	}{
		{"path", "GET", "/osmand/" + secret + "?id=phone-1" + where + "1764000001", "", "", "", 200},
		{"path, posted without a body", "POST", "/osmand/" + secret + "?id=PHONE-1" + where + "1764000002", "", "", "", 200},
		{"path, JSON", "POST", "/osmand/" + secret, "application/json", js("phone-1"), "", 200},
		{"key", "GET", "/osmand?key=" + secret + "&id=phone-1" + where + "1764000003", "", "", "", 200},
		{"key in a form", "POST", "/osmand", form, "deviceid=phone-1&key=" + secret + where + "1764000004", "", 200},
		{"key, of another case", "GET", "/osmand?Key=" + secret + "&id=phone-1" + where + "1764000008", "", "", "", 200},
		{"key, with a broken escape", "GET", "/osmand?key=" + secret + "%zz&id=phone-1" + where + "1764000009", "", "", "", 401},
		{"a form that is called JSON", "POST", "/osmand/" + secret + "?id=phone-1", "application/json", "lat=north&%6Bey=" + secret, "", 400},
		{"a form that breaks", "POST", "/osmand/" + secret + "?id=phone-1", form, "lat=%zz&key=" + secret, "", 400},
		{"Basic", "POST", "/osmand", "application/json", js("phone-1"), "phone-1:" + secret, 200},
		{"Basic, of another", "POST", "/osmand", "application/json", js("phone-1"), "nobody:" + secret, 401},
		{"for another", "GET", "/osmand/" + secret + "?id=phone-2" + where + "1764000005", "", "", "", 401},
		{"for another, JSON beside the query", "POST", "/osmand/" + secret + "?id=phone-1", "application/json", js("phone-2"), "", 401},
		{"for another, twice in the query", "GET", "/osmand/" + secret + "?id=phone-1&id=phone-2&deviceid=phone-2" + where + "1764000006", "", "", "", 400},
		{"no secret", "GET", "/osmand?id=phone-1" + where + "1764000007", "", "", "", 401},
		{"nobody", "GET", "/osmand/" + secret, "", "", "", 401},
		{"no position", "GET", "/osmand/" + secret + "?id=phone-1&lat=north&key=" + secret, "", "", "", 400},
	} {
		if got := send(c.method, c.at, c.kind, c.body, c.basic); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	h.call("integrator", "POST", "/api/v1/formats/osmand?id=nobody&lat=17&lon=107&KEY="+secret+"%zz", "", nil)
	h.call("integrator", "POST", "/api/v1/formats/osmand", "id=nobody&lat=17&lon=107&key="+secret, nil)
	letters, _, err := h.srv.DeadLetters.List(t.Context(), deadletters.Filter{})
	if err != nil || len(letters) == 0 {
		t.Fatal(letters, err)
	}
	for _, s := range []string{secret, other} {
		if strings.Contains(h.log.String(), s) {
			t.Errorf("the log has the secret:\n%s", h.log.String())
		}
		for _, d := range letters {
			if strings.Contains(d.Topic+string(d.Payload)+d.Message, s) {
				t.Errorf("a dead letter has the secret: %+v", d)
			}
		}
	}
}

// A page elsewhere can make an operator's browser ask for an address.
func TestAnOperatorsCookieBringsNoPosition(t *testing.T) {
	h := newHouse(t, withOsmAnd)
	h.phone("phone-1")
	cookies := h.call("", "POST", "/api/v1/session", `{"token":"operator"}`, nil).Cookies()
	if len(cookies) != 1 {
		t.Fatal(cookies)
	}
	if res := h.call("", "GET", "/osmand?id=phone-1&lat=17&lon=107", "", nil, "Cookie", cookies[0].String()); res.StatusCode != 403 {
		t.Errorf("with the cookie: %s", res.Status)
	}
	if res := h.call("operator", "GET", "/osmand?id=phone-1&lat=17&lon=107", "", nil); res.StatusCode != 200 {
		t.Errorf("with a token: %s", res.Status)
	}
}

func TestGuessingAPhonesSecretIsSlow(t *testing.T) {
	h := newHouse(t, withOsmAnd)
	secret := h.phone("phone-1")
	h.phone("phone-2")
	guess := func(secret, id string) int {
		res, err := http.Get(h.url + "/osmand/" + url.PathEscape(secret) + "?id=" + id + "&lat=17&lon=107")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for range 20 {
		if c := guess(secret, "phone-1"); c != 200 {
			t.Fatalf("right, and %d", c)
		}
	}
	for i := range 6 {
		if c := guess("wrong", "phone-2"); c != map[bool]int{true: 401, false: 429}[i < 5] {
			t.Errorf("guess %d: %d", i+1, c)
		}
	}
	if c := guess(secret, "phone-1"); c != 200 {
		t.Errorf("another phone at the same address: %d", c)
	}
}
