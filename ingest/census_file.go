package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"haidang/devices"
)

// remembered is a source in the census' file: who spoke by it, and when last, in
// minutes since 1970.
type remembered struct {
	SourceID
	Devices map[devices.ID]int64
}

// LoadSources reads who spoke by which source before this start, so that a
// device that fell silent meanwhile is missed; a missing file is no error.
func (p *Pipeline) LoadSources(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	var list []remembered
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("read sources %s: %w", path, err)
	}
	c := p.census
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range list {
		t := c.of(r.SourceID)
		for id, heard := range r.Devices {
			if len(t.devices) < maxCensus {
				t.devices[id] = max(heard, t.devices[id])
			}
		}
	}
	return nil
}

// SaveSources writes what LoadSources reads, whole or not at all.
func (p *Pipeline) SaveSources(path string, now time.Time) error {
	b, err := json.Marshal(p.census.remember(now.Unix() / 60))
	if err != nil {
		return fmt.Errorf("write sources: %w", err)
	}
	err = WriteWhole(path, func(w io.Writer) error { _, err := w.Write(b); return err })
	if err != nil {
		return fmt.Errorf("write sources: %w", err)
	}
	return nil
}

// remember forgets who was silent for too long, and copies the rest.
func (c *census) remember(minute int64) (list []remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, t := range c.sources {
		r := remembered{id, make(map[devices.ID]int64, len(t.devices))}
		for dev, heard := range t.devices {
			if minute-heard < rememberFor {
				r.Devices[dev] = heard
			} else {
				delete(t.devices, dev)
			}
		}
		list = append(list, r)
	}
	return list
}
