package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"haidang/devices/audit"
	"haidang/devices/statedb"
)

// verifyCmd walks the audit log of a data folder; a running program may be at
// work there.
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
	return nil
}

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
