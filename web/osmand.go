package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest"
)

// takeOsmAnd takes a phone's position in both of Traccar Client's forms, and
// answers as Traccar does: 200 with an empty body, 400 for an unknown device
// in the query form, 404 in the JSON form.
//
// A phone signs in with its device's secret: such apps have a server address and
// an identifier to fill in and no more, so it may be the last part of the
// address's path or its parameter key, besides HTTP Basic. It writes as itself
// only. The secret is taken out before anything can be logged or kept.
func (s *Server) takeOsmAnd(w http.ResponseWriter, r *http.Request) {
	secret := osmAndSecret(r)
	body, err := payload(w, r, ingest.MaxPayload)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	jsonForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	if !jsonForm && r.Method == http.MethodPost {
		key := takeForm(r, body)
		secret, body = cmp.Or(key, secret), nil
	}
	var own devices.ID // whoever may send for others has none
	if !s.sendsForOthers(r) {
		if who(r).known() {
			s.refuse(w, r)
			return
		}
		var ok bool
		if own, ok = s.signsIn(w, r, osmAndDevice(r, body), secret); !ok {
			return
		}
	}
	f, ok := s.Format(osmAnd)
	if !ok {
		s.fail(w, r, fmt.Errorf("format %s: %w", osmAnd, devices.ErrNotFound))
		return
	}
	sender := sentBy(r)
	if own != "" {
		as := *f
		as.Decoder = asItself{f.Decoder, own}
		f, sender = &as, string(own)
	}
	s.keepForeign(w, r, f, body, sender, func(w http.ResponseWriter, r *http.Request, o ingest.Outcome) {
		if o.Stored+o.Duplicates > 0 || len(o.DeadLetters) == 0 {
			return
		}
		if jsonForm && o.DeadLetters[0].Code == "device_unknown" {
			s.fail(w, r, fmt.Errorf("%s: %w", o.DeadLetters[0].Message, devices.ErrNotFound))
			return
		}
		s.fail(w, r, fmt.Errorf("%w: %s", errBadRequest, o.DeadLetters[0].Message))
	})
}

// sendsForOthers says whether r may bring any phone's position. A page elsewhere
// can make an operator's browser ask for an address, with its cookie: that is not
// the operator's word.
func (s *Server) sendsForOthers(r *http.Request) bool {
	ours := slices.Contains([]string{"", "none", "same-origin"}, r.Header.Get("Sec-Fetch-Site"))
	asked := r.Header.Get("Authorization") != "" || s.Open && ours || r.Method == http.MethodPost
	return asked && who(r).rights.Everywhere(people.ReadingSend)
}

// osmAndSecret takes a phone's secret out of its request.
func osmAndSecret(r *http.Request) string {
	_, secret, _ := r.BasicAuth()
	if in := chi.URLParam(r, "secret"); in != "" {
		secret = in
		r.URL.Path, r.URL.RawPath = "/osmand", ""
	}
	rest, key := takeKey(r.URL.RawQuery)
	r.URL.RawQuery = rest
	return cmp.Or(key, secret)
}

// takeKey takes the parameter key, a secret, out of a query or a form, also
// where neither its case nor its escapes are as they should be.
func takeKey(query string) (rest, key string) {
	pairs := strings.Split(query, "&")
	pairs = slices.DeleteFunc(pairs, func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if !strings.EqualFold(strings.TrimSpace(name), "key") {
			return false
		}
		if plain, err := url.QueryUnescape(value); err == nil && key == "" {
			key = plain
		}
		return true
	})
	return strings.Join(pairs, "&"), key
}

// takeForm makes a form that was posted the query it could have been, and
// returns the key in it.
func takeForm(r *http.Request, body []byte) (key string) {
	r.Body = http.NoBody
	posted, key := takeKey(strings.TrimSpace(string(body)))
	r.URL.RawQuery = strings.Trim(r.URL.RawQuery+"&"+posted, "&")
	return key
}

// osmAndDevice is which device a phone says it is.
func osmAndDevice(r *http.Request, body []byte) devices.ID {
	var b struct {
		Device string `json:"device_id"`
	}
	if json.Unmarshal(body, &b) == nil && b.Device != "" {
		return devices.ID(b.Device)
	}
	q := r.URL.Query()
	return devices.ID(cmp.Or(q.Get("id"), q.Get("deviceid")))
}

// asItself lets a decoder's items be of one device only.
type asItself struct {
	ingest.Decoder
	id devices.ID
}

// Decode implements ingest.Decoder.
func (d asItself) Decode(in ingest.Input) []ingest.Item {
	items := d.Decoder.Decode(in)
	for i := range items {
		if it := &items[i]; it.Refusal == nil && it.Device.Key() != d.id.Key() {
			items[i] = ingest.Item{Device: d.id, Raw: it.Raw, Refusal: &ingest.Refusal{Stage: ingest.StageIdentify, Code: "device_other",
				Message: fmt.Sprintf("%s signed in, and may not send for %s", d.id, it.Device)}}
		}
	}
	return items
}
