package devices_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
)

func TestUpdateKeepsSpellingAndBirth(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	r := openRegistry(t, path)
	old, err := r.Discover(ctx, "Gauge-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Update(ctx, devices.Device{ID: "gauge-2", Type: "generic"}); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("updated what is not there: %v", err)
	}
	if _, err := r.Update(ctx, devices.Device{ID: "gauge-1", Type: "toaster"}); err == nil {
		t.Error("took a bad type")
	}
	_, err = r.Update(ctx, devices.Device{ID: "GAUGE-1", Type: "water_level", Name: "Trạm Kiến Giang", Area: "le-thuy", Interval: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*devices.Registry{r, openRegistry(t, path)} {
		d, _ := r.Get("gauge-1")
		if d.ID != "Gauge-1" || d.Type != "water_level" || d.Discovered || !d.CreatedAt.Equal(old.CreatedAt) || d.Interval != 1500*time.Millisecond {
			t.Errorf("after the update: %+v", d)
		}
	}
}

func TestUpsertIsAllOrNothing(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	r := openRegistry(t, path)
	if _, err := r.Create(ctx, devices.Device{ID: "Cam-1", Type: "traffic_camera", Name: "cũ"}); err != nil {
		t.Fatal(err)
	}
	given := []devices.Device{{ID: "cam-1", Type: "traffic_camera", Name: "mới"}, {ID: "cam-2", Type: "traffic_camera"}}
	if err := r.Upsert(ctx, given); err != nil {
		t.Fatal(err)
	}
	if given[0].ID != "cam-1" || !given[1].CreatedAt.IsZero() {
		t.Errorf("the caller's devices were changed: %+v", given)
	}
	if err := r.Upsert(ctx, []devices.Device{{ID: "cam-3", Type: "traffic_camera"}, {ID: "cam-4", Type: "toaster"}}); err == nil {
		t.Error("took a bad type")
	}
	if err := r.Upsert(ctx, []devices.Device{{ID: "cam-5", Type: "generic"}, {ID: "CAM-5", Type: "generic"}}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("one id given twice: %v", err)
	}
	for _, r := range []*devices.Registry{r, openRegistry(t, path)} {
		var got []string
		for _, d := range r.List(devices.Filter{Type: "traffic_camera"}) {
			got = append(got, string(d.ID)+"="+d.Name)
		}
		if s := strings.Join(got, " "); s != "Cam-1=mới cam-2=" {
			t.Errorf("registered: %s", s)
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	at := func(lat, lon float64) *devices.Position { return &devices.Position{Lat: lat, Lon: lon} }
	for name, c := range map[string]struct {
		field string
		d     devices.Device
	}{
		"NaN":            {"position", devices.Device{Position: at(math.NaN(), 106)}},
		"infinite":       {"position", devices.Device{Position: at(17, math.Inf(1))}},
		"negative":       {"expected_interval_s", devices.Device{Interval: -time.Second}},
		"two years":      {"expected_interval_s", devices.Device{Interval: 2 * 366 * 24 * time.Hour}},
		"two lines":      {"name", devices.Device{Name: "a\nb"}},
		"not UTF-8":      {"name", devices.Device{Name: "a\xffb"}},
		"long name":      {"name", devices.Device{Name: strings.Repeat("ệ", 100)}},
		"long id":        {"id", devices.Device{ID: devices.ID(strings.Repeat("a", 65))}},
		"id with a dash": {"id", devices.Device{ID: "-a"}},
		"id of a topic":  {"id", devices.Device{ID: "a/+"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.d.Type = "generic"
			if c.d.ID == "" {
				c.d.ID = "a"
			}
			_, err := r.Create(context.Background(), c.d)
			if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != c.field {
				t.Errorf("got %v, want a fault in %s", err, c.field)
			}
		})
	}
}

func TestRegistrySharesNothingWithItsCaller(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	d := devices.Device{ID: "a", Type: "generic", Name: "  Tra\u0323m  ", Position: &devices.Position{Lat: 17, Lon: 106}}
	if _, err := r.Create(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	d.Position.Lat = 0
	if got, _ := r.Get("a"); got.Position.Lat != 17 || got.Name != "Tr\u1ea1m" {
		t.Errorf("registered %q at %+v", got.Name, *got.Position)
	}
}

// Many speak for the first time at once, some under the same id; readers
// never wait and lists hold each device once.
func TestDiscoverAtOnce(t *testing.T) {
	const workers, ids = 8, 20
	ctx := context.Background()
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range ids {
				id := fmt.Sprintf("new-%d", i)
				if w%2 == 0 {
					id = strings.ToUpper(id)
				}
				if _, err := r.Discover(ctx, devices.ID(id)); err != nil {
					t.Error(err)
				}
				if _, ok := r.Get(devices.ID(id)); !ok {
					t.Errorf("%s is not there after it was discovered", id)
				}
				r.List(devices.Filter{})
			}
		})
	}
	wg.Wait()
	if got := len(r.List(devices.Filter{})); got != ids {
		t.Errorf("%d devices, want %d", got, ids)
	}
}

func TestHundredThousandDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 rows")
	}
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	r := openRegistry(t, path)
	ds := make([]devices.Device, 100_000)
	for i := range ds {
		ds[i] = devices.Device{ID: devices.ID(fmt.Sprintf("qb-%06d", i)), Type: "generic", Name: "Trạm"}
	}
	if err := r.Upsert(ctx, ds); err != nil {
		t.Fatal(err)
	}
	r = openRegistry(t, path)
	all := r.List(devices.Filter{Query: "trạm"})
	if len(all) != len(ds) || all[0].ID != "qb-000000" || all[99_999].ID != "qb-099999" {
		t.Errorf("%d devices after reopening", len(all))
	}
	if n := testing.AllocsPerRun(1000, func() { r.Get("qb-054321") }); n != 0 {
		t.Errorf("a look-up allocates %v times: it is made for each reading", n)
	}
}

func BenchmarkGet(b *testing.B) {
	r := openRegistry(b, filepath.Join(b.TempDir(), "state.db"))
	if err := r.Upsert(context.Background(), []devices.Device{{ID: "qb-air-01", Type: "air_station"}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Get("qb-air-01")
		}
	})
}
