package live

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"haidang/devices"
)

// edit changes a device as somebody does.
func (r *room) edit(id string, change func(*devices.Device)) {
	r.t.Helper()
	_, err := r.reg.Edit(context.Background(), devices.ID(id), 0, func(d *devices.Device) error { change(d); return nil })
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) life(id string, to devices.Life) {
	r.t.Helper()
	if _, err := r.reg.SetLife(context.Background(), devices.ID(id), to, "vì sao đó"); err != nil {
		r.t.Fatal(err)
	}
}

// next is what a screen is told of a device next: "x" that it is gone, "d" that
// it is there.
func (s *screen) next(id string) string {
	s.t.Helper()
	for {
		f := s.hear()
		for _, it := range f.Items {
			if it.ID == id {
				return it.K
			}
		}
	}
}

// Devices join and leave the maps of connected screens as they are approved,
// suspended, moved and retired.
func TestDevicesJoinAndLeaveOpenScreens(t *testing.T) {
	r := newRoom(t, nil)
	r.device("a", 17.5, 106.6)
	if _, err := r.reg.Create(t.Context(), devices.Device{ID: "waits", Type: "fishing_vessel", Life: devices.Pending, Position: &devices.Position{Lat: 17.5, Lon: 106.5}}); err != nil {
		t.Fatal(err)
	}
	r.edited()
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"map","zoom":9,"bbox":[106,17,107,18]}`)
	if f := s.hear(); len(f.Items) != 1 || f.Items[0].ID != "a" {
		t.Fatalf("snapshot: %+v", f)
	}
	for i, step := range []struct {
		do   func()
		id   string
		want string
	}{
		{func() { r.life("a", devices.Suspended) }, "a", "x"},
		{func() { r.life("a", devices.Active) }, "a", "d"},
		{func() { r.device("new", 17.2, 106.2) }, "new", "d"},
		{func() { r.edit("new", func(d *devices.Device) { d.Position = &devices.Position{Lat: 10, Lon: 110} }) }, "new", "d"}, // where it is now: out of sight
		{func() {
			r.edit("new", func(d *devices.Device) { d.Position = &devices.Position{Lat: 17.3, Lon: 106.3} })
		}, "new", "d"},
		{func() { r.edit("new", func(d *devices.Device) { d.Position = nil }) }, "new", "x"},
		{func() {
			if _, err := r.reg.Approve(t.Context(), "waits", "đã kiểm tra", func(*devices.Device) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}, "waits", "d"},
		{func() { r.life("a", devices.Retired) }, "a", "x"},
	} {
		step.do()
		if got := s.next(step.id); got != step.want {
			t.Errorf("step %d: %s is told as %q, want %q", i, step.id, got, step.want)
		}
	}
	// What a device said before it was suspended does not bring it back.
	r.reading("waits", 17.5, 106.5, 1)
	if got := s.next("waits"); got != "d" {
		t.Fatal(got)
	}
	r.life("waits", devices.Suspended)
	if got := s.next("waits"); got != "x" {
		t.Fatal(got)
	}
	r.reading("waits", 17.6, 106.5, 2)
	r.reading("a", 17.6, 106.5, 2)
	r.device("last", 17.5, 106.5)
	f := s.hear()
	for _, it := range f.Items {
		if it.ID == "waits" || it.ID == "a" {
			t.Errorf("who is out of service is told again: %+v", f)
		}
	}
}

// Who sees one area loses what is moved out of it, gets what is moved in, and
// hears no more of it than that.
func TestDevicesLeaveLimitedScreens(t *testing.T) {
	r := newRoom(t, nil)
	for _, id := range []string{"a", "b"} {
		r.device(id, 17.5, 106.6)
		r.edit(id, func(d *devices.Device) { d.Area = "dong-hoi" })
	}
	r.edited()
	in, out := r.screen(http.Header{"X-Area": {"dong-hoi"}}), r.screen(http.Header{"X-Area": {"le-thuy"}})
	for s, n := range map[*screen]int{in: 2, out: 0} {
		s.say(`{"type":"subscribe","channel":"map","zoom":9}`)
		if f := s.hear(); len(f.Items) != n {
			t.Fatalf("snapshot: %+v", f)
		}
	}
	r.edit("a", func(d *devices.Device) { d.Area = "le-thuy" })
	if got := in.next("a"); got != "x" {
		t.Errorf("where it was: %q", got)
	}
	if got := out.next("a"); got != "d" {
		t.Errorf("where it is: %q", got)
	}
	r.edit("a", func(d *devices.Device) { d.Name = "khác" })
	if got := out.next("a"); got != "d" {
		t.Errorf("where it is: %q", got)
	}
	r.edit("b", func(d *devices.Device) { d.Name = "khác" })
	if f := in.hear(); len(f.Items) != 1 || f.Items[0].ID != "b" {
		t.Errorf("where it was hears more of it: %+v", f)
	}
}

// An import of thousands starts screens anew.
func TestManyChangesAreASnapshot(t *testing.T) {
	r := newRoom(t, nil)
	s := r.screen(nil)
	s.say(`{"type":"subscribe","channel":"map","zoom":12,"bbox":[106,17,107,18]}`)
	if f := s.hear(); f.Type != "snapshot" || len(f.Items) != 0 {
		t.Fatalf("%+v", f)
	}
	ds := make([]devices.Device, renewOver+1)
	for i := range ds {
		ds[i] = devices.Device{ID: devices.ID(fmt.Sprint("d", i)), Type: "fishing_vessel", Position: &devices.Position{Lat: 17.5, Lon: 106.5}}
	}
	if err := r.reg.Upsert(t.Context(), ds); err != nil {
		t.Fatal(err)
	}
	last := 0
	s.until(func(f frame) bool {
		if f.Type == "snapshot" {
			last = len(f.Items)
		} else {
			last += len(f.Items)
		}
		return last >= len(ds)
	})
}
