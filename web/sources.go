package web

import (
	"net/http"
	"time"

	"haidang/devices"
)

// sourceView is one way by which data comes in, since the program began.
type sourceView struct {
	Name       string     `json:"name"`
	Via        string     `json:"via"`
	Last       *time.Time `json:"last_received,omitempty"`
	PerMinute  int64      `json:"per_minute"`
	Messages   int64      `json:"messages"`
	Stored     int64      `json:"stored"`
	Duplicates int64      `json:"duplicates"`
	Late       int64      `json:"late"`
	Backfill   int64      `json:"backfill"`
	// DeadLetters are those of this way since the program began.
	DeadLetters int64 `json:"dead_letters"`
	// Devices by freshness: how many spoke by this way, and how they are now.
	Devices      map[devices.Freshness]int `json:"devices"`
	Completeness *float64                  `json:"completeness,omitempty"` // share of its devices that are live
	Gaps         int64                     `json:"seq_missing"`            // sequence numbers still missing
}

func (s *Server) listSources(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	views := []sourceView{}
	for _, c := range s.Pipeline.Sources(now) {
		v := sourceView{Name: c.Name, Via: c.Via, Last: known(c.Last.UTC()), PerMinute: c.PerMinute, Messages: c.Messages, Stored: c.Stored,
			Duplicates: c.Duplicates, Late: c.Late, Backfill: c.Backfill, DeadLetters: c.Refused,
			Devices: map[devices.Freshness]int{devices.Live: 0, devices.Late: 0, devices.Silent: 0}}
		for _, id := range c.Devices {
			d, ok := s.Registry.Get(id)
			if !ok {
				continue
			}
			v.Devices[devices.FreshnessAt(now, s.Tracker.LastSeen(id), s.Registry.Interval(d))]++
			v.Gaps += s.Tracker.Missing(id)
		}
		if n := len(c.Devices); n > 0 {
			share := float64(v.Devices[devices.Live]) / float64(n)
			v.Completeness = &share
		}
		views = append(views, v)
	}
	s.json(w, http.StatusOK, list{Items: views})
}
