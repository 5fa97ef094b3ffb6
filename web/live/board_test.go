package live

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/latest"
)

// Devices wander about, and screens that are behind by any number of changes
// read on in any box: each must end up knowing the newest of all that is in its
// box, and of none that has left where it was before.
func TestBoardTellsWhoIsBehindWhatItMissed(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	type fact struct {
		N        int
		ID       string
		Lat, Lon float64
	}
	b, now := newBoard(), map[devices.ID]fact{}
	type reader struct {
		at    int64
		box   bbox
		shown map[string]fact
	}
	var readers []*reader
	for n := range 20000 {
		items := make([]item, 1+rnd.IntN(4))
		for i := range items {
			id := devices.ID(fmt.Sprintf("v-%d", rnd.IntN(40)))
			p := point{float64(rnd.IntN(6)), float64(rnd.IntN(6))}
			if rnd.IntN(2) == 0 {
				p = point{now[id].Lat, now[id].Lon} // stays
			}
			f := fact{n, string(id), p.lat, p.lon}
			text, _ := json.Marshal(f)
			before, spoke := now[id]
			trail := p.box()
			if spoke {
				trail = trail.with(point{before.Lat, before.Lon})
			}
			items[i], now[id] = item{id: id, at: p, json: text, trail: trail}, f
		}
		b.put(items)
		if n%700 == 0 {
			b.tick(b.turned.Add(turnAfter))
		}
		if rnd.IntN(50) == 0 {
			w, s := float64(rnd.IntN(5)), float64(rnd.IntN(5))
			r := &reader{at: b.last(), box: bbox{w, s, w + 1, s + 1}, shown: map[string]fact{}}
			for id, f := range now { // as a snapshot
				if r.box.has(point{f.Lat, f.Lon}) {
					r.shown[string(id)] = f
				}
			}
			readers = append(readers[max(0, len(readers)-20):], r)
		}
		if len(readers) == 0 || rnd.IntN(3) > 0 {
			continue
		}
		r := readers[rnd.IntN(len(readers))]
		told, to, ok := b.since(r.at, r.box, nil)
		if !ok {
			if r.at >= b.began[1] {
				t.Fatalf("from %d is too long ago, with the turn before last at %d", r.at, b.began[1])
			}
			r.at, r.shown = math.MaxInt64, nil // it would get a snapshot
			continue
		}
		for _, text := range told {
			var f fact
			if err := json.Unmarshal(text, &f); err != nil {
				t.Fatal(err)
			}
			if f != now[devices.ID(f.ID)] {
				t.Fatalf("told an old item: %+v", f)
			}
			r.shown[f.ID] = f
		}
		if r.shown == nil {
			continue
		}
		r.at = to
		for id, f := range now {
			was, shown := r.shown[string(id)]
			if r.box.has(point{f.Lat, f.Lon}) && was != f {
				t.Fatalf("a screen at %v knows %+v of a device at %+v", r.box, was, f)
			}
			if shown && r.box.has(point{was.Lat, was.Lon}) && !r.box.has(point{f.Lat, f.Lon}) {
				t.Fatalf("a screen at %v still shows %+v, which is at %+v", r.box, was, f)
			}
		}
	}
	if len(b.log) > 3*len(b.cells)+64 {
		t.Errorf("the log of %d devices holds %d changes", len(b.cells), len(b.log))
	}
}

// An item in JSON reads back as what it was made of, whatever a device calls
// itself and whatever numbers it sends.
func TestItemIsJSON(t *testing.T) {
	fix := time.Date(2026, 11, 25, 1, 2, 3, 456e6, time.UTC)
	for _, name := range []string{"Trạm A", `a "b" \ c`, "</script>&\u2028\x00\x7f", "\xff\xfe", ""} {
		d := &devices.Device{ID: "st-1", Type: "air_station", Name: name}
		s := &latest.State{Connection: "online", LastFix: &ingest.Reading{FixTime: fix}, LastSeen: fix.Add(time.Second),
			Tail: []latest.TrackPoint{{Lat: 17.5, Lon: 106.25}, {Lat: -1e-7, Lon: 180}},
			Values: map[string]latest.LatestValue{"speed_kn": {Number: 7.25}, "pm25": {Number: 1e300, Quality: ingest.DeviceError},
				"nan": {Number: math.NaN()}, "inf": {Number: math.Inf(-1), Quality: ingest.DeviceError}, "small": {Number: -1e-9}}}
		b := appendItem(nil, d, &item{id: d.ID, at: point{17.46832, 106.62215}, fresh: devices.Live}, s)
		var got struct {
			K, ID, Type, Name, State, Conn string
			Lat, Lon, Speed                float64
			Course                         *float64
			TS, Seen                       time.Time
			Values                         map[string]float64
			Q                              map[string]string
			Tail                           [][2]float64
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		want := strings.ToValidUTF8(strings.ReplaceAll(strings.ReplaceAll(name, "\xff", "\ufffd"), "\xfe", "\ufffd"), "\ufffd")
		if got.K != "d" || got.ID != "st-1" || got.Name != want || got.State != string(devices.Live) || got.Conn != "online" || got.Lat != 17.46832 || got.Lon != 106.62215 ||
			got.Speed != 7.25 || got.Course != nil || !got.TS.Equal(fix) || !got.Seen.Equal(s.LastSeen) || len(got.Values) != 3 || got.Values["pm25"] != 1e300 || got.Values["small"] != -1e-9 ||
			len(got.Q) != 1 || got.Q["pm25"] != ingest.DeviceError.String() || len(got.Tail) != 2 || got.Tail[1] != [2]float64{180, -1e-7} {
			t.Errorf("%q: %+v from %s", name, got, b)
		}
		if strings.ContainsAny(string(b), "<>&") {
			t.Errorf("%s could end a script", b)
		}
	}
}
