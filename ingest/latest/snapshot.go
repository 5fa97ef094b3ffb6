package latest

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

type snapshot struct {
	Pos    ingest.Pos
	States map[devices.ID]*State
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
	t.pos = s.Pos
	for id, st := range s.States {
		if st.Values == nil {
			st.Values = map[string]LatestValue{}
		}
		t.states[id] = st
	}
	return nil
}

// Save writes the snapshot, whole or not at all.
func (t *Tracker) Save(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".latest-*")
	if err != nil {
		return fmt.Errorf("create snapshot: %w", err)
	}
	defer os.Remove(f.Name())
	t.mu.RLock()
	err = gob.NewEncoder(f).Encode(snapshot{t.pos, t.states})
	t.mu.RUnlock()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return os.Rename(f.Name(), path)
}

// KeepSaved saves every half minute and when ctx ends: after a kill the
// journal's last half minute is read again. What cannot be saved, as on a full
// disk, is saved the next time; a start then only reads more of the journal.
func (t *Tracker) KeepSaved(ctx context.Context, path string, log *slog.Logger) error {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	return t.keepSaved(ctx, path, tick.C, log)
}

func (t *Tracker) keepSaved(ctx context.Context, path string, tick <-chan time.Time, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return t.Save(path)
		case <-tick:
			if err := t.Save(path); err != nil {
				log.Error("save the latest values; trying again", "component", "ingest.latest", "error", err)
			}
		}
	}
}
