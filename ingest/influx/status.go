package influx

import (
	"fmt"
	"sync"
	"time"

	"haidang/ingest"
)

// Status is how far the writer has come.
type Status struct {
	// Lag is how many readings and events of the journal are not written yet.
	Lag int64
	// LastSuccess is when InfluxDB last confirmed a write; zero: not since the
	// program began.
	LastSuccess time.Time
	// OutageSince is when writing first went wrong; zero: it works, or was not
	// tried yet. An outage is only noticed when there is something to write.
	OutageSince time.Time
	// Cause is what InfluxDB, or the way to it, said to the last try.
	Cause string
}

// String says it in words, for /readyz. The cause, which names addresses, is for
// those who have signed in.
func (s Status) String() string {
	switch {
	case !s.OutageSince.IsZero():
		return fmt.Sprintf("InfluxDB takes nothing since %s; %d entries wait in the journal", s.OutageSince.Format(time.RFC3339), s.Lag)
	case s.LastSuccess.IsZero():
		return fmt.Sprintf("InfluxDB was not written to yet; %d entries wait in the journal", s.Lag)
	}
	return fmt.Sprintf("InfluxDB took the last points at %s; %d entries wait in the journal", s.LastSuccess.Format(time.RFC3339), s.Lag)
}

// state is what Status is made of; the writer changes it, everybody asks.
type state struct {
	mu      sync.Mutex
	pos     ingest.Pos
	journal Follower
	Status
}

func (s *state) begin(pos ingest.Pos, j Follower) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pos, s.journal = pos, j
}

func (s *state) reached(pos ingest.Pos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pos = pos
}

func (s *state) confirmed() {
	s.answered()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.LastSuccess = time.Now().UTC().Truncate(time.Millisecond)
}

// answered ends an outage, also by a refusal.
func (s *state) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.OutageSince, s.Cause = time.Time{}, ""
}

func (s *state) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.OutageSince.IsZero() {
		s.OutageSince = time.Now().UTC().Truncate(time.Millisecond)
	}
	s.Cause = err.Error()
}

// Status says how far the writer has come. It may be called at any time.
func (w *Writer) Status() Status {
	s := &w.state
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Status
	if s.journal != nil {
		now.Lag = s.journal.Behind(s.pos)
	}
	return now
}
