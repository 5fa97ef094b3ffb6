package latest

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/ingest"
)

type snapshot struct {
	Pos     ingest.Pos
	States  map[devices.ID]*State
	Outages []health.Outage
}

// Load reads the snapshot at path; a missing one is no error. Run then goes on
// from where it was made.
func (t *Tracker) Load(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	defer f.Close()
	var s snapshot
	if err := gob.NewDecoder(f).Decode(&s); err != nil {
		return fmt.Errorf("read snapshot %s: %w", path, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pos, t.outages = s.Pos, s.Outages
	for id, st := range s.States {
		if st.Values == nil {
			st.Values = map[string]LatestValue{}
		}
		t.states[id] = st
	}
	return nil
}

// Save writes the snapshot, whole or not at all. After a kill what is not in it
// is read again from the journal.
func (t *Tracker) Save(path string) error {
	err := ingest.WriteWhole(path, func(w io.Writer) error {
		t.mu.RLock()
		defer t.mu.RUnlock()
		return gob.NewEncoder(w).Encode(snapshot{t.pos, t.states, t.outages})
	})
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}
