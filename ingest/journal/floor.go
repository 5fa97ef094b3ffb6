package journal

import (
	"context"
	"time"

	"haidang/devices"
)

// Floor is the fix time before which entries of a device may have been removed:
// what the journal has of that time may not be all that there was. The zero
// time: all is there.
func (j *Journal) Floor(dev devices.ID) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if ms, ok := j.floors[string(dev)]; ok {
		return milli(ms)
	}
	return time.Time{}
}

// raiseFloor notes, before they go, that entries of a device go.
func (j *Journal) raiseFloor(ctx context.Context, h expiring) error {
	j.mu.Lock()
	known := j.floors[string(h.device)] >= h.before
	j.mu.Unlock()
	if known {
		return nil
	}
	if err := j.marks.raise(ctx, map[string]int64{string(h.device): h.before}); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.floors[string(h.device)] = h.before
	return nil
}
