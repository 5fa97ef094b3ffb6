package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/people"
)

// commandBody asks for a command.
type commandBody struct {
	Name    string          `json:"name"`
	Args    json.RawMessage `json:"args"`
	Why     string          `json:"why"`
	Expires float64         `json:"expires_in_s"`
	Timeout float64         `json:"timeout_s"`
}

// longest is the longest time that a body may ask for in seconds, so that none
// runs over; what a command may wait is bounded below that.
const longest = 366 * 24 * 3600

func (b *commandBody) request(r *http.Request) (commands.Request, error) {
	for field, x := range map[string]float64{"expires_in_s": b.Expires, "timeout_s": b.Timeout} {
		if !(x >= 0 && x <= longest) {
			return commands.Request{}, &devices.FieldError{Field: field, Reason: "a number of seconds"}
		}
	}
	seconds := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
	return commands.Request{Name: b.Name, Args: b.Args, Who: who(r).name, Why: b.Why, Expires: seconds(b.Expires), Timeout: seconds(b.Timeout)}, nil
}

// maxCommandBody bounds the body of a command, of a bulk one with its ids.
const maxCommandBody, maxBatchBody = 16 << 10, 2 << 20

func (s *Server) postCommand(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceCommand)
	var b commandBody
	if err == nil {
		err = s.body(w, r, maxCommandBody, &b)
	}
	var rq commands.Request
	if err == nil {
		rq, err = b.request(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Commands.Send(r.Context(), d, rq)
	s.answer(w, r, http.StatusAccepted, c, err)
}

func (s *Server) getCommand(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Commands.Get(r.Context(), d.ID, chi.URLParam(r, "command"))
	if err == nil {
		c = showCommand(c)
	}
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) stopCommand(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceCommand)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Commands.Stop(r.Context(), d.ID, chi.URLParam(r, "command"))
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) listCommands(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerCommands(w, r, commands.Filter{Device: d.ID})
}

// answerCommands lists what f and the request's query let through.
func (s *Server) answerCommands(w http.ResponseWriter, r *http.Request, f commands.Filter) {
	q := r.URL.Query()
	var err error
	if f.State = commands.State(q.Get("state")); f.State != "" && !slices.Contains(commands.States, f.State) {
		err = &devices.FieldError{Field: "state", Reason: "known are queued, sent, delivered, succeeded, failed, timed_out, expired, stopped"}
	}
	if err == nil {
		f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000)
	}
	if err == nil {
		f.Before, err = cursorParam(q.Get("cursor"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	cs, next, err := s.Commands.List(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for i := range cs {
		cs[i] = showCommand(cs[i])
	}
	s.json(w, http.StatusOK, list{some(cs), cursor(next)})
}

func (s *Server) getConfig(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Commands.Config(r.Context(), d.ID)
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) putConfig(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	var b struct {
		Desired json.RawMessage `json:"desired"`
		After   *int64          `json:"after_version"`
		Why     string          `json:"why"`
	}
	if err == nil {
		err = s.body(w, r, maxCommandBody, &b)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.Commands.Configure(r.Context(), d, b.Desired, b.After, who(r).name, b.Why)
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) postBatch(w http.ResponseWriter, r *http.Request) {
	var b struct {
		commandBody
		Filter commands.Selection `json:"filter"`
	}
	err := s.body(w, r, maxBatchBody, &b)
	var rq commands.Request
	if err == nil {
		rq, err = b.request(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	batch, err := s.Commands.SendAll(r.Context(), b.Filter, s.sees(r, people.DeviceCommand), rq)
	s.answer(w, r, http.StatusAccepted, batch, err)
}

// mayBatch says whether who asks may do a to every device of a bulk command: else
// its counts and its filter would tell of those outside.
func (s *Server) mayBatch(r *http.Request, a people.Action, b *commands.Batch) (bool, error) {
	sees := s.sees(r, a)
	if sees == nil {
		return true, nil
	}
	return s.Commands.Every(r.Context(), b, sees)
}

// batch is the bulk command that the path names, if a may be done to all of its
// devices.
func (s *Server) batch(r *http.Request, a people.Action) (*commands.Batch, error) {
	b, err := s.Commands.Batch(r.Context(), chi.URLParam(r, "batch"))
	if err != nil {
		return nil, err
	}
	may, err := s.mayBatch(r, a, b)
	if err == nil && !may {
		err = s.refusal(r)
	}
	return b, err
}

func (s *Server) listBatches(w http.ResponseWriter, r *http.Request) {
	limit, err := intParam(r.URL.Query().Get("limit"), "limit", 50, 200)
	var before int64
	if err == nil {
		before, err = cursorParam(r.URL.Query().Get("cursor"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var failed error
	bs, next, err := visible(before, func(before int64) ([]*commands.Batch, int64, error) {
		return s.Commands.Batches(r.Context(), before, limit)
	}, func(b *commands.Batch) bool {
		may, err := s.mayBatch(r, people.DeviceRead, b)
		if err != nil {
			failed = err
		}
		return may
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, list{some(bs), cursor(next)})
}

func (s *Server) getBatch(w http.ResponseWriter, r *http.Request) {
	b, err := s.batch(r, people.DeviceRead)
	s.answer(w, r, http.StatusOK, b, err)
}

func (s *Server) listBatch(w http.ResponseWriter, r *http.Request) {
	b, err := s.batch(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerCommands(w, r, commands.Filter{Batch: b.ID})
}

func (s *Server) stopBatch(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Why string `json:"why"`
	}
	if err := s.body(w, r, maxCommandBody, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	batch, err := s.batch(r, people.DeviceCommand)
	if err == nil {
		batch, err = s.Commands.StopBatch(r.Context(), batch.ID, b.Why)
	}
	s.answer(w, r, http.StatusOK, batch, err)
}
