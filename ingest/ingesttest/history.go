package ingesttest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// HistoryType is the type of every device in RunHistoryTests.
const HistoryType devices.TypeID = "air_station"

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// RunHistoryTests holds an ingest.History to its contract. newHistory makes
// one that knows the given readings, which are not in order of time.
func RunHistoryTests(t *testing.T, newHistory func(t *testing.T, readings []ingest.Reading) ingest.History) {
	t.Helper()
	oddMetric := `so 2,x="ô" ${y}=1`
	var readings []ingest.Reading
	add := func(dev devices.ID, after time.Duration, p *devices.Position, vs ...ingest.Value) {
		at := noon.Add(after)
		readings = append(readings, ingest.Reading{Device: dev, FixTime: at, ReceivedAt: at.Add(2 * time.Second), Seq: int64(len(readings)), Position: p, Values: vs})
	}
	good := func(metric string, x float64) ingest.Value { return ingest.Value{Metric: metric, Number: x} }
	place := &devices.Position{Lat: 17.4689, Lon: 106.6223}
	for i := range 12 { // one a minute, 12:00 to 12:11, pm25 = 10, 11, …
		i = (i * 5) % 12 // late ones among them
		add("QB-Air-01", time.Duration(i)*time.Minute, place, good("pm25", float64(10+i)), good("temp", -1.25))
	}
	add("QB-Air-01", 4*time.Minute+30*time.Second, nil, ingest.Value{Metric: "pm25", Number: 900, Quality: ingest.Calibrating}, good("temp", 30))
	add("QB-Air-01", 90*time.Minute, nil, good("pm25", 0.5), good(oddMetric, 1e-7))
	add("QB-Air-02", 2*time.Minute, nil, good("pm25", 77))
	add("QB-Air-01", 24*time.Hour, nil, good("pm25", 123456.789))
	for i, x := range []float64{120, 140, 90} { // a figure that was revised twice
		add("QB-Air-03", 3*time.Minute, nil, good("pm25", x))
		readings[len(readings)-1].ReceivedAt = noon.Add(time.Duration(i+1) * time.Hour)
	}
	h := newHistory(t, readings)
	t.Run("readings", func(t *testing.T) { testReadings(t, h, place) })
	t.Run("pages", func(t *testing.T) { testPages(t, h) })
	t.Run("series", func(t *testing.T) { testSeries(t, h, oddMetric) })
}

func ask(from, to time.Duration) ingest.ReadingsQuery {
	return ingest.ReadingsQuery{Device: "QB-Air-01", From: noon.Add(from), To: noon.Add(to)}
}

func testReadings(t *testing.T, h ingest.History, place *devices.Position) {
	// From is in, to is out, and the other device is nobody's business.
	items, next, err := h.Readings(t.Context(), ask(2*time.Minute, 6*time.Minute))
	if err != nil || next != "" {
		t.Fatalf("next %q, error %v", next, err)
	}
	want := []time.Duration{2 * time.Minute, 3 * time.Minute, 4 * time.Minute, 270 * time.Second, 5 * time.Minute}
	if got := offsets(items); !slices.Equal(got, want) {
		t.Fatalf("readings at %v, want %v", got, want)
	}
	for i, r := range items {
		if r.Device != "QB-Air-01" || r.FixTime.Location() != time.UTC {
			t.Errorf("reading %d is of %s at %s", i, r.Device, r.FixTime)
		}
		v, _ := r.Value("pm25")
		if i == 3 {
			if v.Quality != ingest.Calibrating || r.Position != nil {
				t.Errorf("the calibrating reading came back as %+v", r)
			}
			continue
		}
		if v.Quality != ingest.Good || v.Number != 10+r.FixTime.Sub(noon).Minutes() {
			t.Errorf("pm25 at %s is %+v", r.FixTime, v)
		}
		if temp, ok := r.Value("temp"); !ok || temp.Number != -1.25 || len(r.Values) != 2 {
			t.Errorf("values %+v", r.Values)
		}
		if p := r.Position; p == nil || math.Abs(p.Lat-place.Lat) > 1e-6 || math.Abs(p.Lon-place.Lon) > 1e-6 {
			t.Errorf("position %+v, want %+v", p, place)
		}
	}
	for name, q := range map[string]ingest.ReadingsQuery{
		"unknown device":   {Device: "nobody", From: noon, To: noon.Add(time.Hour)},
		"nothing then":     ask(2*time.Hour, 3*time.Hour),
		"empty range":      ask(time.Minute, time.Minute),
		"reversed range":   ask(time.Hour, 0),
		"not an id at all": {Device: `x" or "${1}" == "1`, From: noon, To: noon.Add(time.Hour)},
	} {
		if items, next, err := h.Readings(t.Context(), q); err != nil || len(items) > 0 || next != "" {
			t.Errorf("%s: %d readings, next %q, error %v", name, len(items), next, err)
		}
	}
	q := ask(0, time.Hour)
	q.Cursor = "made up"
	if _, _, err := h.Readings(t.Context(), q); !isFieldError(err, "cursor") {
		t.Errorf("a made-up cursor gives %v, want a field error", err)
	}
}

func testPages(t *testing.T, h ingest.History) {
	for _, limit := range []int{1, 4, 13, 14, 15, 16, 1000, 0} { // there are 15
		q := ask(-time.Hour, 48*time.Hour)
		q.Limit = limit
		var all []time.Duration
		for pages := 1; ; pages++ {
			items, next, err := h.Readings(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if limit > 0 && len(items) > limit {
				t.Errorf("limit %d gave %d", limit, len(items))
			}
			all = append(all, offsets(items)...)
			if q.Cursor = next; next == "" {
				break
			}
			if pages > 20 {
				t.Fatalf("limit %d: no end of pages", limit)
			}
		}
		if len(all) != 15 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != 15 {
			t.Errorf("limit %d: readings at %v", limit, all)
		}
	}
}

func testSeries(t *testing.T, h ingest.History, oddMetric string) {
	for _, tt := range []struct {
		name             string
		dev              devices.ID
		metric           string
		from, to, window time.Duration
		want             []ingest.Point // Time left out
		at               []time.Duration
	}{
		{"windows cut by the range", "QB-Air-01", "pm25", 2 * time.Minute, 11 * time.Minute, 5 * time.Minute, []ingest.Point{
			{Mean: 13, Min: 12, Max: 14, Last: 14, Count: 3}, {Mean: 17, Min: 15, Max: 19, Last: 19, Count: 5}, {Mean: 20, Min: 20, Max: 20, Last: 20, Count: 1},
		}, []time.Duration{0, 5 * time.Minute, 10 * time.Minute}},
		{"windows count from 1970", "QB-Air-01", "pm25", 0, time.Hour, 7 * time.Minute, []ingest.Point{
			{Mean: 11, Min: 10, Max: 12, Last: 12, Count: 3}, {Mean: 16, Min: 13, Max: 19, Last: 19, Count: 7}, {Mean: 20.5, Min: 20, Max: 21, Last: 21, Count: 2},
		}, []time.Duration{-4 * time.Minute, 3 * time.Minute, 10 * time.Minute}},
		{"empty windows are left out", "QB-Air-01", "pm25", 11 * time.Minute, 25 * time.Hour, time.Hour, []ingest.Point{
			{Mean: 21, Min: 21, Max: 21, Last: 21, Count: 1}, {Mean: .5, Min: .5, Max: .5, Last: .5, Count: 1},
			{Mean: 123456.789, Min: 123456.789, Max: 123456.789, Last: 123456.789, Count: 1},
		}, []time.Duration{0, time.Hour, 24 * time.Hour}},
		{"last is the latest, not the largest", "QB-Air-01", "temp", 4 * time.Minute, 6 * time.Minute, time.Hour, []ingest.Point{
			{Mean: 27.5 / 3, Min: -1.25, Max: 30, Last: -1.25, Count: 3},
		}, []time.Duration{0}},
		{"raw", "QB-Air-01", "pm25", 4 * time.Minute, 6 * time.Minute, 0, []ingest.Point{
			{Mean: 14, Min: 14, Max: 14, Last: 14, Count: 1}, {Mean: 15, Min: 15, Max: 15, Last: 15, Count: 1},
		}, []time.Duration{4 * time.Minute, 5 * time.Minute}},
		{"odd name", "QB-Air-01", oddMetric, 0, 3 * time.Hour, time.Hour, []ingest.Point{
			{Mean: 1e-7, Min: 1e-7, Max: 1e-7, Last: 1e-7, Count: 1},
		}, []time.Duration{time.Hour}},
		{"other device", "QB-Air-02", "pm25", 0, time.Hour, time.Hour, []ingest.Point{{Mean: 77, Min: 77, Max: 77, Last: 77, Count: 1}}, []time.Duration{0}},
		{"the newest of one time", "QB-Air-03", "pm25", 0, time.Hour, time.Hour, []ingest.Point{{Mean: 90, Min: 90, Max: 90, Last: 90, Count: 1}}, []time.Duration{0}},
		{"unknown device", "nobody", "pm25", 0, time.Hour, time.Hour, nil, nil},
		{"unknown metric", "QB-Air-01", "gold", 0, time.Hour, 0, nil, nil},
		{"empty range", "QB-Air-01", "pm25", 0, 0, time.Minute, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := h.Series(t.Context(), ingest.SeriesQuery{Device: tt.dev, Type: HistoryType, Metric: tt.metric,
				From: noon.Add(tt.from), To: noon.Add(tt.to), Window: tt.window})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %+v", got)
			}
			for i, want := range tt.want {
				want.Time = noon.Add(tt.at[i])
				if g := got[i]; !g.Time.Equal(want.Time) || math.Abs(g.Mean-want.Mean) > 1e-9*math.Abs(want.Mean) ||
					g.Min != want.Min || g.Max != want.Max || g.Last != want.Last || g.Count != want.Count {
					t.Errorf("point %d is %+v, want %+v", i, g, want)
				}
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Series(ended, ingest.SeriesQuery{Device: "QB-Air-01", Type: HistoryType, Metric: "pm25", From: noon, To: noon.Add(time.Hour)}); !errors.Is(err, context.Canceled) {
		t.Errorf("a query that was given up ends with %v", err)
	}
}

func offsets(items []ingest.Reading) []time.Duration {
	var out []time.Duration
	for _, r := range items {
		out = append(out, r.FixTime.Sub(noon))
	}
	return out
}

func isFieldError(err error, field string) bool {
	fe, ok := errors.AsType[*devices.FieldError](err)
	return ok && fe.Field == field
}
