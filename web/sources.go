package web

import (
	"net/http"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

// sourceView is one way by which data comes in, since the program began.
type sourceView struct {
	Name string `json:"name"`
	Via  string `json:"via"`
	// State is that of its freshest device; "never" before it brought anything.
	State      devices.Freshness `json:"state"`
	Last       *time.Time        `json:"last_received,omitempty"`
	PerMinute  int64             `json:"per_minute"`
	Messages   int64             `json:"messages"`
	Stored     int64             `json:"stored"`
	Duplicates int64             `json:"duplicates"`
	Late       int64             `json:"late"`
	Backfill   int64             `json:"backfill"`
	// DeadLetters are those of this way since the program began.
	DeadLetters int64 `json:"dead_letters"`
	// Devices by freshness: how many spoke by this way, and how they are now.
	Devices map[devices.Freshness]int `json:"devices"`
	// Completeness is the share of what its devices' intervals let expect in
	// the last hour that came live; missing before that can be said.
	Completeness *float64 `json:"completeness,omitempty"`
	Gaps         int64    `json:"seq_missing"` // sequence numbers still missing
	// Problems need a hand: files that cannot be read or moved.
	Problems []ingest.SourceProblem `json:"problems,omitempty"`
}

// freshest is the state of the freshest of some devices.
func freshest(n map[devices.Freshness]int) devices.Freshness {
	for _, f := range []devices.Freshness{devices.Live, devices.Late, devices.Silent} {
		if n[f] > 0 {
			return f
		}
	}
	return devices.Never
}

// completeness compares what came in the last minutes with what was to come.
func completeness(c *ingest.SourceCount, expectedPerMinute float64) *float64 {
	expected := expectedPerMinute * float64(c.Minutes)
	if c.Minutes < 5 || expected < 1 {
		return nil
	}
	share := min(1, float64(c.LastHour)/expected)
	return &share
}

func (s *Server) listSources(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	views := []sourceView{}
	for _, c := range s.Pipeline.Sources(now) {
		v := sourceView{Name: c.Name, Via: c.Via, Last: known(c.Last.UTC()), PerMinute: c.PerMinute, Messages: c.Messages, Stored: c.Stored,
			Duplicates: c.Duplicates, Late: c.Late, Backfill: c.Backfill, DeadLetters: c.Refused,
			Devices: map[devices.Freshness]int{devices.Live: 0, devices.Late: 0, devices.Silent: 0}}
		expected := 0.0
		for _, id := range c.Devices {
			d, ok := s.Registry.Get(id)
			if !ok {
				continue
			}
			interval := s.Registry.Interval(d)
			v.Devices[s.Tracker.Freshness(now, id, health.Expect(s.Registry, d))]++
			v.Gaps += s.Tracker.Missing(id)
			if interval > 0 {
				expected += time.Minute.Seconds() / interval.Seconds()
			}
		}
		v.Completeness = completeness(&c, expected)
		v.State = freshest(v.Devices)
		if s.SourceProblems != nil && c.Via == "file" {
			v.Problems = s.SourceProblems(c.Name)
		}
		views = append(views, v)
	}
	s.json(w, http.StatusOK, list{Items: views})
}
