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
		takeForm(r, body)
		secret, body = takeKey(r, secret), nil
	}
	var own devices.ID // whoever may send for others has none
	if !slices.Contains(keepers, who(r).Role) {
		own = osmAndDevice(r, body)
		dev, known := s.Registry.Get(own)
		user, _, basic := r.BasicAuth()
		if !known || basic && devices.ID(user).Key() != dev.ID.Key() || secret == "" || who(r).Role != None { // no guess; and made-up ids fill no memory
			s.refuse(w, r)
			return
		}
		own = dev.ID
		if s.phones.spent(r, string(own)) {
			s.fail(w, r, errTooMany)
			return
		}
		if !s.Registry.CheckSecret(own, secret) {
			s.phones.take(r, string(own))
			s.refuse(w, r)
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

// osmAndSecret takes a phone's secret out of its request.
func osmAndSecret(r *http.Request) string {
	_, secret, _ := r.BasicAuth()
	if in := chi.URLParam(r, "secret"); in != "" {
		secret = in
		r.URL.Path, r.URL.RawPath = "/osmand", ""
	}
	return takeKey(r, secret)
}

// takeKey takes the parameter key out of the query; it stands before secret.
func takeKey(r *http.Request, secret string) string {
	if q := r.URL.Query(); q.Has("key") {
		secret = q.Get("key")
		q.Del("key")
		r.URL.RawQuery = q.Encode()
	}
	return secret
}

// takeForm makes a form that was posted the query it could have been.
func takeForm(r *http.Request, body []byte) {
	r.Body = http.NoBody
	form := r.URL.Query()
	if posted, err := url.ParseQuery(string(body)); err == nil {
		for k, vs := range posted {
			form[k] = append(form[k], vs...)
		}
	}
	r.URL.RawQuery = form.Encode()
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
