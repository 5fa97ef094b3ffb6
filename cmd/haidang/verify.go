package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/retention"
	"haidang/devices/statedb"
	"haidang/ingest/journal"
)

// verifyCmd walks the audit log and the vessel tracks of a data folder; a running
// program may be at work there.
type verifyCmd struct {
	Data string `required:"" help:"The data folder." type:"path"`
	Seq  int64  `help:"The number of an entry noted elsewhere, such as in the program's log; with --hash."`
	Hash string `help:"Its hash, in hex."`
}

func (v *verifyCmd) run(ctx context.Context, out io.Writer) error {
	path := filepath.Join(v.Data, "state.db")
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no data in %s", v.Data)
	}
	db, err := statedb.Open(path)
	if err != nil {
		return err
	}
	defer db.Close()
	log, err := audit.Open(ctx, db)
	if err != nil {
		return err
	}
	noted := audit.Head{Seq: v.Seq, Hash: v.Hash}
	if v.Seq == 0 {
		if noted, err = audit.ReadHead(audit.HeadPath(v.Data)); err != nil {
			return err
		}
	}
	hash, err := hex.DecodeString(noted.Hash)
	if err != nil {
		return fmt.Errorf("the noted hash %.80q is not hex", noted.Hash)
	}
	n, err := log.Verify(ctx, noted.Seq, hash)
	if err != nil {
		return fmt.Errorf("the audit log does not hold: %w (%d entries before it do)", err, n)
	}
	_, head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the audit log holds: %d entries, the newest %x\n", n, head)
	if noted.Seq == 0 {
		fmt.Fprintln(out, "no head was noted before: whether entries were cut off at the end cannot be told")
	} else {
		fmt.Fprintf(out, "entry %d, noted before, is among them\n", noted.Seq)
	}
	return v.tracks(ctx, db, log, out)
}

// tracks walks the chains of the vessel tracks.
func (v *verifyCmd) tracks(ctx context.Context, db *sql.DB, log *audit.Log, out io.Writer) error {
	classes, err := retention.Open(ctx, db, log, retention.Options{})
	if err != nil {
		return err
	}
	noted, err := classes.Tracks(ctx)
	unnoted := errors.Is(err, retention.ErrTracks)
	if err != nil && !unnoted {
		return err
	}
	heads := make([]journal.TrackHead, len(noted))
	for i, t := range noted {
		heads[i] = journal.TrackHead{Device: devices.ID(t.Device), Link: journal.Link{No: t.No, Hash: t.Hash}}
	}
	faults := 0
	sum, err := journal.VerifyTracks(ctx, filepath.Join(v.Data, "journal"), heads, func(f journal.Fault) {
		if faults++; faults <= maxFaults {
			fmt.Fprintln(out, f)
		}
	})
	if err != nil {
		return err
	}
	switch {
	case faults > 0:
		return fmt.Errorf("the vessel tracks do not hold: %d faults, the first %d of them above", faults, min(faults, maxFaults))
	case unnoted:
		return fmt.Errorf("the vessel tracks hold by themselves, but: %w", retention.ErrTracks)
	}
	fmt.Fprintf(out, "the vessel tracks hold: %d vessels, %d blocks; %d went past their retention, %d wait to be chained the next night\n", sum.Vessels, sum.Blocks, sum.Gone, sum.Unsealed)
	if sum.Vessels > 0 && len(noted) == 0 {
		fmt.Fprintln(out, "no heads of theirs were noted before: whether all was rewritten cannot be told until the next night")
	}
	return nil
}

// maxFaults is how many faults are printed.
const maxFaults = 100

// keepAuditHead notes the newest entry of the audit log beside the database and
// in the log: at the start, each hour, and at the end. When what was noted is no
// longer there, the note stays as it is, and it is said each time.
func (a *app) keepAuditHead(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		a.noteAuditHead()
		select {
		case <-ctx.Done():
			a.noteAuditHead()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *app) noteAuditHead() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h, err := a.audit.NoteHead(ctx, audit.HeadPath(a.cfg.Data))
	if err != nil {
		a.log.Error("the audit log is not what was noted of it; haidang verify says more", "noted_entry", h.Seq, "error", err)
		return
	}
	a.log.Info("head of the audit log", "entry", h.Seq, "hash", h.Hash)
}
