package devices_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"haidang/devices"
)

// Whatever is asked for, all pages together are what a look at every device
// gives, in order, and the count is theirs.
func TestPagesAreWhatAModelSays(t *testing.T) {
	ctx := context.Background()
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(xs ...string) string { return xs[rnd.IntN(len(xs))] }
	var all []devices.Device
	seen := map[devices.ID]time.Time{}
	t0 := time.Now()
	for i := range 500 {
		d := devices.Device{ID: devices.ID(fmt.Sprintf("%s-%03d", pick("qb", "QB", "vt"), i)), Type: devices.TypeID(pick("air_station", "water_level", "generic")), Name: pick("Trạm Đồng Hới", "trạm lệ thủy", "", "Ðồng", "Camera"),
			Area: pick("", "dong-hoi", "le-thuy"), Life: devices.Life(pick("active", "active", "pending", "retired")), Vendor: pick("", "A", "B")}
		all = append(all, d)
		if rnd.IntN(3) > 0 {
			seen[d.ID] = t0.Add(-time.Duration(rnd.IntN(20)) * time.Minute) // some at once
		}
	}
	if err := r.Upsert(ctx, all[:300]); err != nil {
		t.Fatal(err)
	}
	r.List(devices.Filter{}) // what comes later is put in
	if err := r.Upsert(ctx, all[200:]); err != nil {
		t.Fatal(err)
	}
	stateOf := func(d *devices.Device) devices.Freshness { return devices.FreshnessAt(t0, seen[d.ID], 5*time.Minute) }
	for range 400 {
		q := devices.Query{Sort: devices.Sort(pick("", "id", "name", "last_seen")), Descending: rnd.IntN(2) == 0, Limit: 1 + rnd.IntN(60),
			State: devices.Freshness(pick("", "", "live", "silent", "never")), StateOf: stateOf, LastSeen: func(id devices.ID) time.Time { return seen[id] }}
		q.Filter = devices.Filter{Type: devices.TypeID(pick("", "air_station")), Vendor: pick("", "A"), Query: pick("", "", "dong", "QB-1", "zzz")}
		if rnd.IntN(2) == 0 {
			q.Lives = []devices.Life{devices.Life(pick("active", "retired")), devices.Life(pick("active", "pending"))}
		}
		if rnd.IntN(3) == 0 {
			q.Areas = []string{pick("dong-hoi", "le-thuy"), pick("dong-hoi", "le-thuy")}
		}
		want := model(all, &q)
		var got []string
		for pages := 0; ; pages++ {
			p, err := r.Page(q)
			if err != nil {
				t.Fatal(err)
			}
			if p.Total != len(want) {
				t.Fatalf("%+v: total %d, want %d", q.Filter, p.Total, len(want))
			}
			if len(p.Devices) > q.Limit || p.Next != "" && len(p.Devices) < q.Limit {
				t.Fatalf("a page of %d of %d, next %q", len(p.Devices), q.Limit, p.Next)
			}
			for _, d := range p.Devices {
				got = append(got, string(d.ID))
			}
			if q.After = p.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v %s %v %s:\n got %v\nwant %v", q.Filter, q.Sort, q.Descending, q.State, got, want)
		}
	}
}

func model(all []devices.Device, q *devices.Query) (ids []string) {
	var ds []devices.Device
	lives := q.Lives
	if lives == nil {
		lives = []devices.Life{devices.Active}
	}
	for _, d := range all {
		if (q.Type == "" || d.Type == q.Type) && (q.Vendor == "" || d.Vendor == q.Vendor) && slices.Contains(lives, d.Life) && (q.Areas == nil || slices.Contains(q.Areas, d.Area)) &&
			strings.Contains(devices.Fold(string(d.ID)+"\n"+d.Name), devices.Fold(q.Query)) && (q.State == "" || q.StateOf(&d) == q.State) {
			ds = append(ds, d)
		}
	}
	slices.SortFunc(ds, func(a, b devices.Device) int {
		c := 0
		switch q.Sort {
		case devices.ByName:
			c = strings.Compare(devices.Fold(a.Name), devices.Fold(b.Name))
		case devices.ByLastSeen:
			x, y := q.LastSeen(a.ID), q.LastSeen(b.ID)
			switch {
			case x.Equal(y):
			case x.IsZero() || !y.IsZero() && x.Before(y):
				c = 1
			default:
				c = -1
			}
		}
		if c == 0 {
			c = strings.Compare(a.ID.Key(), b.ID.Key())
		}
		if q.Descending {
			return -c
		}
		return c
	})
	for _, d := range ds {
		ids = append(ids, string(d.ID))
	}
	return ids
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	for _, sort := range []devices.Sort{devices.ByName, devices.ByLastSeen} {
		for _, cursor := range []string{"qb-air-01", "!", "AAAA"} {
			if _, err := r.Page(devices.Query{Sort: sort, After: cursor, Limit: 1}); err == nil {
				t.Errorf("took the cursor %q by %s", cursor, sort)
			}
		}
	}
}
