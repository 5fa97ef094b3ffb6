package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"haidang/devices"
)

// Fault is where a vessel's chain does not hold.
type Fault struct {
	Device devices.ID
	// Day is the UTC day of the block; the zero time: nobody knows it, for the
	// block is gone.
	Day time.Time
	// No is the block's number in the chain; 0: it has none.
	No   int64
	What string // "changed", "removed", "inserted"
}

func (f Fault) String() string {
	day := "of an unknown day"
	if !f.Day.IsZero() {
		day = "of " + f.Day.Format(time.DateOnly)
	}
	if f.No == 0 {
		return fmt.Sprintf("vessel %s: a block %s was %s: it is not in the chain", f.Device, day, f.What)
	}
	return fmt.Sprintf("vessel %s: block %d %s was %s", f.Device, f.No, day, f.What)
}

// TracksChecked says what a check of the chains found beside faults.
type TracksChecked struct {
	// Vessels have a chain, of Blocks in all; Gone were removed past their
	// retention; Unsealed wait for the next night to be chained.
	Vessels, Blocks, Gone, Unsealed int64
}

// VerifyTracks walks the chains of all vessels in a journal's folder, and calls
// fault for each place that does not hold. noted are heads that were kept
// elsewhere; they must still be there. A running program may be at work in the
// folder.
func VerifyTracks(ctx context.Context, dir string, noted []TrackHead, fault func(Fault)) (sum TracksChecked, err error) {
	path := filepath.Join(dir, "chain.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		for _, n := range noted {
			fault(Fault{Device: n.Device, No: n.No, What: "removed"})
		}
		return sum, nil
	}
	k := &checker{dir: dir, shelves: map[int64]*sql.DB{}, fault: fault}
	defer k.close()
	if k.chain, err = openReadOnly(path); err != nil {
		return sum, err
	}
	heads, err := k.heads(ctx)
	if err != nil {
		return sum, fmt.Errorf("verify vessel tracks: %w", err)
	}
	by := map[devices.ID]TrackHead{}
	for _, n := range noted {
		by[n.Device] = n
		if !slices.ContainsFunc(heads, func(h checkedHead) bool { return h.Device == n.Device }) {
			fault(Fault{Device: n.Device, No: n.No, What: "removed"})
		}
	}
	for _, h := range heads {
		if err := k.vessel(ctx, h, by[h.Device], &sum); err != nil {
			return sum, fmt.Errorf("verify the tracks of %s: %w", h.Device, err)
		}
	}
	return sum, nil
}
