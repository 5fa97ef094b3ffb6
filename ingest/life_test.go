package ingest_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/deadletters"
)

// living has one air station, of a life that changes.
type living struct {
	registry
	life atomic.Value
}

func (l *living) Get(id devices.ID) (*devices.Device, bool) {
	life := l.life.Load().(devices.Life)
	if id.Key() != "qb-air-01" || life == devices.Discovered {
		return nil, false
	}
	return &devices.Device{ID: "qb-air-01", Type: "air_station", Life: life, LifeReason: "mất trộm"}, true
}

// What is sent by a device that is not in service waits, with a reason, and is
// taken once it is, once, with its own times. A call for help is not asked.
func TestWhatIsNotInServiceWaits(t *testing.T) {
	reg := &living{}
	f := start(t, func(o *ingest.Options) {
		o.Registry = reg
		o.Feeds = []ingest.Feed{{Filter: "sea/#", Format: &ingest.Format{Name: "beacons", Decoder: beacons{}}}}
	})
	now := time.Now().UTC().Truncate(time.Second)
	for i, c := range []struct {
		life devices.Life
		code string
	}{
		{devices.Discovered, "device_unknown"}, {devices.Pending, "device_pending"}, {devices.Suspended, "device_suspended"}, {devices.Retired, "device_retired"},
	} {
		reg.life.Store(c.life)
		o := f.send(t, strings.Replace(airTopic, "qb-air", "QB-Air", 1), fmt.Sprintf(`{"ts":%d,"values":{"pm25":%d}}`, now.Add(-time.Duration(i)*time.Second).UnixMilli(), i))
		if len(o.DeadLetters) != 1 || o.DeadLetters[0].Code != c.code || o.Stored != 0 {
			t.Fatalf("%s: became %+v", c.life, o)
		}
		if c.life != devices.Discovered && c.life != devices.Pending && !strings.Contains(o.DeadLetters[0].Message, "mất trộm") {
			t.Errorf("%s: it is told %q", c.life, o.DeadLetters[0].Message)
		}
		o = f.send(t, "sea/1", fmt.Sprintf("qb-air-01 sos 17 107 %s", now.Add(-time.Duration(i)*time.Second).Format(time.RFC3339)))
		if o.Stored != 1 {
			t.Errorf("%s: a call for help became %+v", c.life, o)
		}
	}
	strangers, total, err := f.letters.Strangers(t.Context(), "air", func(devices.ID) bool { return false }, 10, 0)
	if err != nil || total != 1 || len(strangers) != 1 || strangers[0].ID != "QB-Air-01" || strangers[0].Letters != 1 || strangers[0].Source != "mqtt" {
		t.Errorf("unknown are %+v of %d, %v", strangers, total, err)
	}
	reg.life.Store(devices.Active)
	for _, want := range []int{4, 0} {
		sum, err := f.letters.Replay(t.Context(), deadletters.Filter{Device: "qb-air-01"}, f, nil)
		if err != nil || sum.Stored != want || sum.DeadLetters != 0 {
			t.Errorf("replayed %+v, %v", sum, err)
		}
	}
	rs, _, err := f.journal.Readings(t.Context(), ingest.ReadingsQuery{Device: "qb-air-01", To: time.Now()})
	if err != nil || len(rs) != 4 {
		t.Fatalf("kept %+v, %v", rs, err)
	}
	for i, r := range rs {
		if n := len(rs) - 1 - i; !r.FixTime.Equal(now.Add(-time.Duration(n)*time.Second)) || r.Values[0].Number != float64(n) {
			t.Errorf("kept %+v", r)
		}
	}
}
