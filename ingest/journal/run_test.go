package journal

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// numbersMet are such as sensors say, and such as nobody expects.
var numbersMet = []float64{0, math.Copysign(0, -1), 1, -1, 38.4, 17.468, 1e-7, math.Pi, 1763796000123456, 1e300, -0.000001, math.MaxFloat64, math.SmallestNonzeroFloat64}

// randomEntry makes an entry of the device at ms; few values, so that equal
// ones occur.
func randomEntry(rnd *rand.Rand, dev devices.ID, ms int64) ingest.Entry {
	at, recv := milli(ms), milli(ms+rnd.Int64N(1e6)-1000)
	var pos *devices.Position
	if rnd.IntN(3) == 0 {
		pos = &devices.Position{Lat: 17 + float64(rnd.IntN(5))/7, Lon: 106.625}
	}
	late, assumed, suspect := ingest.Lateness(rnd.IntN(3)), rnd.IntN(2) == 0, rnd.IntN(5) == 0
	if rnd.IntN(6) == 0 {
		ev := &ingest.Event{Device: dev, FixTime: at, ReceivedAt: recv, Lateness: late, TimeAssumed: assumed, TimeSuspect: suspect, Position: pos, Type: []string{"sos", "đèn đỏ"}[rnd.IntN(2)]}
		if rnd.IntN(2) == 0 {
			ev.Severity, ev.Data = "major", []byte(`{"lane":2}`)
		}
		return ingest.Entry{Event: ev}
	}
	r := &ingest.Reading{Device: dev, FixTime: at, ReceivedAt: recv, Lateness: late, TimeAssumed: assumed, TimeSuspect: suspect, Position: pos, Seq: ingest.NoSeq, Values: []ingest.Value{}}
	if rnd.IntN(2) == 0 {
		r.Seq = rnd.Int64N(5)
	}
	if rnd.IntN(4) == 0 {
		r.SentAt = recv.Add(-time.Duration(rnd.IntN(5000)) * time.Millisecond)
	}
	for _, m := range []string{"pm25", "temp", "mực nước"} {
		if rnd.IntN(3) == 0 {
			continue
		}
		v := ingest.Value{Metric: m, Number: float64(rnd.IntN(4)) / 4, Quality: ingest.Quality(max(0, rnd.IntN(8)-4))}
		if rnd.IntN(9) == 0 {
			v.Number = numbersMet[rnd.IntN(len(numbersMet))]
		}
		r.Values = append(r.Values, v)
	}
	return ingest.Entry{Reading: r}
}

// text tells an entry so that equal entries read the same, bits of numbers
// included, the order of values excluded.
func text(e *ingest.Entry) string {
	where := func(p *devices.Position) string {
		if p == nil {
			return "nowhere"
		}
		return fmt.Sprint(*p)
	}
	if ev := e.Event; ev != nil {
		return fmt.Sprint("event ", ev.Device, ev.FixTime, ev.ReceivedAt, ev.TimeAssumed, ev.TimeSuspect, ev.Lateness, ev.Type, ev.Severity, where(ev.Position), string(ev.Data))
	}
	r := e.Reading
	var vs []string
	for _, v := range r.Values {
		vs = append(vs, fmt.Sprint(v.Metric, "=", math.Float64bits(v.Number), v.Quality))
	}
	slices.Sort(vs)
	return fmt.Sprint("reading ", r.Device, r.FixTime, r.SentAt, r.ReceivedAt, r.TimeAssumed, r.TimeSuspect, r.Lateness, r.Seq, where(r.Position), vs)
}

// names is a dictionary without a file.
type names struct{ list []string }

func (n *names) key(name string) (uint64, error) {
	if i := slices.Index(n.list, name); i >= 0 {
		return uint64(i + 1), nil
	}
	n.list = append(n.list, name)
	return uint64(len(n.list)), nil
}

func (n *names) name(k uint64) (string, bool) {
	if k == 0 || k > uint64(len(n.list)) {
		return "", false
	}
	return n.list[k-1], true
}

func TestWhatIsPackedComesBackExactly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var metrics, devs names
	for range 5000 {
		e := randomEntry(rnd, "qb-air-01", t0.UnixMilli()+rnd.Int64N(1e9)-5e8)
		dev, _ := devs.key("qb-air-01")
		b, err := packEntry(nil, &e, dev, metrics.key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unpackEntry(b, devs.name, metrics.name)
		if err != nil || text(&got) != text(&e) {
			t.Fatalf("%s came back as\n%s, %v", text(&e), text(&got), err)
		}
		for n := range b { // cut off anywhere it is an error, not a panic and not another entry
			if cut, err := unpackEntry(b[:n], devs.name, metrics.name); err == nil && text(&cut) == text(&e) {
				t.Fatalf("%d of %d bytes read as the whole", n, len(b))
			}
		}
	}
}

func TestRunsComeBackExactly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		var metrics names
		var rs, evs []ingest.Entry
		ms := t0.UnixMilli()
		for range 1 + rnd.IntN(1+n*3) {
			ms += max(0, rnd.Int64N(120_000)-10_000)
			if e := randomEntry(rnd, "a", ms); e.Event != nil {
				evs = append(evs, e)
			} else {
				rs = append(rs, e)
			}
		}
		for _, es := range [][]ingest.Entry{rs, evs} {
			if len(es) == 0 {
				continue
			}
			body, err := encodeRun(es, metrics.key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeRun("a", body, metrics.name)
			if err != nil || len(got) != len(es) {
				t.Fatalf("%d entries came back as %d, %v", len(es), len(got), err)
			}
			for i := range es {
				if text(&got[i]) != text(&es[i]) {
					t.Fatalf("%s\ncame back as\n%s", text(&es[i]), text(&got[i]))
				}
			}
			for k := range metrics.list {
				if es[0].Event != nil {
					continue
				}
				ss, twice, err := runSamples(body, uint64(k+1))
				if want := severalAtOnce(es, metrics.list[k]); err != nil || twice != want {
					t.Fatalf("the column %s has several values of one time: %v, want %v; %v", metrics.list[k], twice, want, err)
				}
				if !twice && !reflect.DeepEqual(bits(ss), bits(entrySamples(es, metrics.list[k]))) {
					t.Fatalf("the column %s is %v", metrics.list[k], ss)
				}
			}
		}
	}
}

func severalAtOnce(es []ingest.Entry, metric string) bool {
	times := map[time.Time]int{}
	for i := range es {
		if _, ok := es[i].Reading.Value(metric); ok {
			if times[es[i].Reading.FixTime]++; times[es[i].Reading.FixTime] > 1 {
				return true
			}
		}
	}
	return false
}

func bits(ss []sample) (b []string) {
	for _, s := range ss {
		b = append(b, fmt.Sprint(s.ts, math.Float64bits(s.number)))
	}
	return b
}

// A reading may name a metric twice, however unwise; both values are kept.
func TestMetricTwiceIsKeptTwice(t *testing.T) {
	var metrics names
	es := []ingest.Entry{reading("a", t0, 1, 1), reading("a", t0.Add(time.Second), 2, 1)}
	es[1].Reading.Values = []ingest.Value{{Metric: "o3", Number: 1}, {Metric: "pm25", Number: 2}, {Metric: "pm25", Number: 3}}
	body, err := encodeRun(es, metrics.key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRun("a", body, metrics.name)
	if err != nil || text(&got[1]) != text(&es[1]) || text(&got[0]) != text(&es[0]) {
		t.Errorf("%s came back as %s, %v", text(&es[1]), text(&got[1]), err)
	}
}

func TestRunOfAnotherFormSaysSo(t *testing.T) {
	if _, err := decodeRun("a", []byte{9, 1, 2}, nil); err == nil || !strings.Contains(err.Error(), "form 9") {
		t.Errorf("says %v", err)
	}
}

// Whatever the bytes, a run is read or refused, in bounded time and memory.
func FuzzRun(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var metrics names
	for _, n := range []int{1, 3, 200} {
		var es []ingest.Entry
		for i := range n {
			es = append(es, reading("a", t0.Add(time.Duration(i)*time.Minute), rnd.Int64N(9), float64(i)/10))
		}
		body, err := encodeRun(es, metrics.key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
		if plain, err := openRun(body); err == nil {
			f.Add(append([]byte{runPlain}, plain...))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		es, err := decodeRun("a", body, func(uint64) (string, bool) { return "m", true })
		if err == nil && (len(es) == 0 || len(es) > maxRun) {
			t.Fatalf("%d entries", len(es))
		}
		runSamples(bytes.Clone(body), 1)
	})
}
