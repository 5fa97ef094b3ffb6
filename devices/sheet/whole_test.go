package sheet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/sheet"
	"haidang/devices/statedb"
)

// A hundred thousand rows, of which the last is wrong, change nothing; without
// it they are all there.
func TestHundredThousandRowsOrNone(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 rows")
	}
	const rows = 100_000
	h := open(t)
	i := h.take(t, table(rows, "last,toaster,,,,,\n"), sheet.Options{})
	if i.State != sheet.Refused || i.ErrorCount != 1 || i.Errors[0].Row != rows+2 || i.Errors[0].Column != "type" || h.count() != 0 {
		t.Fatalf("%+v; %d devices", i, h.count())
	}
	if seq, _, err := h.log.Head(t.Context()); seq != 0 || err != nil {
		t.Errorf("%d entries were recorded, %v", seq, err)
	}
	if i = h.take(t, table(rows, ""), sheet.Options{}); i.State != sheet.Done || i.Created != rows || i.Done != rows || h.count() != rows {
		t.Fatalf("%+v; %d devices", i, h.count())
	}
	if n, err := h.log.Verify(t.Context(), 0, nil); err != nil || n != rows+1 {
		t.Errorf("%d entries hold, %v", n, err)
	}
}

// stopping is a registry that stops the import on whose way it is.
type stopping struct {
	*devices.Registry
	at   int
	stop func()
}

func (s *stopping) Apply(ctx context.Context, cs []devices.Change, e audit.Entry, done func(int)) error {
	return s.Registry.Apply(ctx, cs, e, func(n int) {
		if done(n); n >= s.at {
			s.stop()
		}
	})
}

func TestStoppedImportChangesNothing(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	reg := &stopping{h.Registry, 2000, cancel}
	im := sheet.NewImports(reg, h.keys, nil)
	i, err := im.Start(t.Context(), []byte(table(5000, "")), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if i, err = im.Wait(ctx, i.ID); err != nil || i.State != sheet.Stopped || h.count() != 0 { // who waits went away
		t.Fatalf("%+v, %v; %d devices", i, err, h.count())
	}
	reg.stop = func() {}
	if i, err = im.Start(t.Context(), []byte(table(5000, "")), sheet.Options{}); err != nil {
		t.Fatal(err)
	}
	if i, err = im.Wait(t.Context(), i.ID); err != nil || i.State != sheet.Done || h.count() != 5000 {
		t.Errorf("after that: %+v, %v; %d devices", i, err, h.count())
	}
}

// changing is a registry in which somebody changes a device while an import
// looks at it.
type changing struct {
	*devices.Registry
	t *testing.T
}

func (c changing) Apply(ctx context.Context, cs []devices.Change, e audit.Entry, done func(int)) error {
	_, err := c.Registry.Edit(ctx, "a", 0, func(d *devices.Device) error { d.Notes = "của người khác"; return nil })
	if err != nil {
		c.t.Error(err)
	}
	return c.Registry.Apply(ctx, cs, e, done)
}

func TestImportOverwritesNobody(t *testing.T) {
	h := open(t)
	h.must(t, devices.Device{ID: "a", Type: "generic"})
	im := sheet.NewImports(changing{h.Registry, t}, h.keys, nil)
	i, err := im.Start(t.Context(), []byte("id,name\na,mới\n"), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if i, err = im.Wait(t.Context(), i.ID); !errors.Is(err, devices.ErrConflict) || i.State != sheet.Failed {
		t.Errorf("%+v, %v", i, err)
	}
	if d, _ := h.Registry.Get("a"); d.Name != "" || d.Notes != "của người khác" {
		t.Errorf("it is %+v", d)
	}
}

// holding is a registry that keeps an import on its way until it is let go.
type holding struct {
	*devices.Registry
	here, go_ chan struct{}
}

func (h holding) Apply(ctx context.Context, cs []devices.Change, e audit.Entry, done func(int)) error {
	h.here <- struct{}{}
	<-h.go_
	return h.Registry.Apply(ctx, cs, e, done)
}

func TestOneImportAtATime(t *testing.T) {
	h := open(t)
	reg := holding{h.Registry, make(chan struct{}), make(chan struct{})}
	im := sheet.NewImports(reg, h.keys, nil)
	first, err := im.Start(t.Context(), []byte(good), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	<-reg.here
	if now, err := im.Get(first.ID); err != nil || now.State != sheet.Running || now.Phase != "writing" || now.Total != 2 {
		t.Errorf("on its way: %+v, %v", now, err)
	}
	if _, err := im.Start(t.Context(), []byte(good), sheet.Options{}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("a second: %v", err)
	}
	reg.go_ <- struct{}{}
	if end, err := im.Wait(t.Context(), first.ID); err != nil || end.State != sheet.Done {
		t.Errorf("%+v, %v", end, err)
	}
}

const killedAt = "HAIDANG_TEST_IMPORT_INTO"

// TestKilledImportChangesNothing runs itself in a process that is killed in the
// middle of writing.
func TestKilledImportChangesNothing(t *testing.T) {
	if path := os.Getenv(killedAt); path != "" {
		importUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "state.db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledImportChangesNothing$")
	cmd.Env = append(os.Environ(), killedAt+"="+path)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != -1 {
		t.Fatalf("it was not killed: %v\n%s", err, out)
	}
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := devices.NewRegistry(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if seq, _, err := l.Head(t.Context()); seq != 1 || err != nil {
		t.Errorf("%d entries were recorded, %v", seq, err)
	}
	if ds := r.List(devices.Filter{}); len(ds) != 1 || ds[0].ID != "before" {
		t.Errorf("%d devices", len(ds))
	}
}

func importUntilKilled(t *testing.T, path string) {
	db, err := statedb.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := devices.NewRegistry(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(t.Context(), devices.Device{ID: "before", Type: "generic"}); err != nil {
		t.Fatal(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// By then SQLite has written much of it into its log already.
	im := sheet.NewImports(&stopping{r, 40_000, func() { self.Kill(); time.Sleep(time.Minute) }}, nil, nil)
	i, err := im.Start(t.Context(), []byte(table(50_000, "")), sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, err = im.Wait(t.Context(), i.ID)
	fmt.Println(strings.TrimSpace(fmt.Sprint(i.State, err)))
}
