package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"haidang/devices"
	"haidang/devices/people"
)

// codeNeeded is the type of the problem that a page answers by asking for the
// code of the second factor.
const codeNeeded = "urn:haidang:code-needed"

// problem is an RFC 9457 problem document.
type problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Request  string       `json:"request_id,omitempty"`
	Errors   []fieldError `json:"errors,omitempty"`
}

type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// fail answers with the problem document of err. It is the only table from
// errors to statuses; what it does not know is 500, logged, without detail.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p problem
	var tooLarge *http.MaxBytesError
	locked, isLocked := errors.AsType[*people.Locked](err)
	much, isMuch := errors.AsType[*tooMany](err)
	fe, isField := errors.AsType[*devices.FieldError](err)
	switch {
	case isField:
		p.Status, p.Errors = http.StatusUnprocessableEntity, []fieldError{{fe.Field, fe.Reason}}
	case errors.As(err, &tooLarge):
		p.Status, p.Detail = http.StatusRequestEntityTooLarge, "the body is larger than this server takes"
	case errors.Is(err, devices.ErrNotFound):
		p.Status, p.Detail = http.StatusNotFound, err.Error()
	case errors.Is(err, devices.ErrStale):
		p.Status, p.Detail = http.StatusPreconditionFailed, err.Error()
	case errors.Is(err, errNoVersion):
		p.Status, p.Detail = http.StatusPreconditionRequired, "say in If-Match which version you saw: the ETag of the answer you read, or * for whatever it is now"
	case errors.Is(err, devices.ErrConflict):
		p.Status, p.Detail = http.StatusConflict, err.Error()
	case errors.Is(err, errUnauthorized):
		p.Status, p.Detail = http.StatusUnauthorized, "sign in, or send a token"
		w.Header().Set("WWW-Authenticate", `Bearer realm="haidang"`)
	case errors.Is(err, people.ErrWrong):
		p.Status, p.Detail = http.StatusUnauthorized, "the name, the password, the code or the token is wrong"
	case errors.Is(err, people.ErrCodeNeeded):
		p.Type, p.Status, p.Detail = codeNeeded, http.StatusUnauthorized, "give the code of the second factor too"
	case isLocked:
		p.Status, p.Detail = http.StatusTooManyRequests, "too many wrong attempts; wait before the next one"
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(time.Until(locked.Until).Seconds()))))
	case errors.Is(err, errForbidden):
		p.Status, p.Detail = http.StatusForbidden, "this session has no right to that"
	case errors.Is(err, errCrossOrigin):
		p.Status, p.Detail = http.StatusForbidden, "a page of another site may not do this"
	case errors.Is(err, errMethod):
		p.Status, p.Detail = http.StatusMethodNotAllowed, r.Method+" is not possible here"
	case isMuch:
		p.Status, p.Detail = http.StatusTooManyRequests, much.Error()
		w.Header().Set("Retry-After", strconv.Itoa(much.seconds()))
	case errors.Is(err, errTooMany):
		p.Status, p.Detail = http.StatusTooManyRequests, "too many requests from this address; wait a minute"
		w.Header().Set("Retry-After", "60")
	case errors.Is(err, errBadRequest):
		p.Status, p.Detail = http.StatusBadRequest, err.Error()
	case errors.Is(err, errUnavailable):
		p.Status, p.Detail = http.StatusServiceUnavailable, "nothing was kept; send it again later"
		w.Header().Set("Retry-After", "5")
	case errors.Is(err, errNoHistory):
		p.Status, p.Detail = http.StatusServiceUnavailable, "the history is asked of InfluxDB, which does not answer; nothing is lost, try again later"
		w.Header().Set("Retry-After", "30")
	default:
		p.Status = http.StatusInternalServerError
		s.Log.Error("answer request", "component", "web", "method", r.Method, "route", r.URL.Path, "request_id", requestID(r), "error", err)
	}
	s.problem(w, r, p)
}

// problem answers with p, whose status says the rest, in the language of who asks.
// Without a detail, the first of its errors is it.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, p problem) {
	say := inLanguage(w, r)
	p.Type = cmp.Or(p.Type, "about:blank")
	p.Title, p.Instance, p.Request = say(http.StatusText(p.Status)), r.URL.Path, requestID(r)
	for i := range p.Errors {
		p.Errors[i].Detail = say(p.Errors[i].Detail)
	}
	if p.Detail = say(p.Detail); p.Detail == "" && len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Field + ": " + p.Errors[0].Detail
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

var (
	errUnauthorized = errors.New("not signed in")
	errForbidden    = errors.New("forbidden")
	errCrossOrigin  = errors.New("cross-origin request")
	errMethod       = errors.New("method not allowed")
	errTooMany      = errors.New("too many requests")
	errBadRequest   = errors.New("bad request")
	errUnavailable  = errors.New("unavailable")
	errNoVersion    = errors.New("no version")
	errNoHistory    = errors.New("no history")
)

func (s *Server) json(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("encode answer", "component", "web", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

// list is the form of every list.
type list struct {
	Items any    `json:"items"`
	Next  string `json:"next,omitempty"`
}
