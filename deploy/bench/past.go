package main

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// pastDays is how far back the readings of disk reach.
const pastDays = 30

// pastMetrics are what each reading holds, with the parts that a unit is
// measured in: temperature creeps by hundredths, noise jumps by tenths, a
// battery falls by millivolts.
var pastMetrics = [...]struct {
	name  string
	parts float64
}{{"temp", 100}, {"humidity", 10}, {"pm25", 10}, {"noise", 10}, {"battery_v", 1000}}

// askedMetric is the one that is asked for.
const askedMetric = "temp"

// past is a month of readings, the same whenever it is gone through.
type past struct {
	devices     int
	from, until time.Time
}

// pastReading is one of them.
type pastReading struct {
	device     int
	n          int // of its device
	at, arrive int64
	values     [len(pastMetrics)]float64
}

// newPast ends at the last midnight, UTC.
func newPast(devices int, now time.Time) *past {
	until := now.UTC().Truncate(24 * time.Hour)
	return &past{devices, until.Add(-pastDays * 24 * time.Hour), until}
}

func (p *past) minutes() int { return pastDays * 24 * 60 }
func (p *past) rows() int    { return p.devices * p.minutes() }

// perValue shares a size out among all values.
func (p *past) perValue(size int64) float64 {
	return float64(size) / float64(p.rows()*len(pastMetrics))
}

func (p *past) id(device int) string { return fmt.Sprintf("disk-%04d", device) }

// readings come in order of time. A reading is measured up to 400 ms after its
// minute begins and arrives some 50 to 150 ms later.
func (p *past) readings() iter.Seq[*pastReading] {
	return func(yield func(*pastReading) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		state := make([][len(pastMetrics)]int, p.devices)
		for i := range state {
			state[i] = [...]int{1800 + i%700, 450 + i%200, 120 + i%60, 520, 4100}
		}
		var r pastReading
		for minute := range p.minutes() {
			for device := range p.devices {
				s := &state[device]
				s[0] += random.IntN(11) - 5
				s[1] = max(0, s[1]+random.IntN(5)-2)
				s[2] = max(5, s[2]+random.IntN(21)-10)
				s[3] = 520 + random.IntN(120)
				if random.IntN(200) == 0 {
					s[4]--
				}
				r.device, r.n = device, minute+1
				r.at = p.from.UnixMilli() + int64(minute)*60_000 + random.Int64N(400)
				r.arrive = r.at + 50 + random.Int64N(100)
				for i, m := range pastMetrics {
					r.values[i] = float64(s[i]) / m.parts
				}
				if !yield(&r) {
					return
				}
			}
		}
	}
}

// batches are the readings as entries of a journal, some at a time, each with
// how many came before.
func (p *past) batches(size int) iter.Seq2[int, []ingest.Entry] {
	return func(yield func(int, []ingest.Entry) bool) {
		n := 0
		var batch []ingest.Entry
		for r := range p.readings() {
			e := &ingest.Reading{Device: devices.ID(p.id(r.device)), FixTime: time.UnixMilli(r.at).UTC(), ReceivedAt: time.UnixMilli(r.arrive).UTC(), Seq: int64(r.n)}
			for i, m := range pastMetrics {
				e.Values = append(e.Values, ingest.Value{Metric: m.name, Number: r.values[i]})
			}
			if batch = append(batch, ingest.Entry{Reading: e}); len(batch) == size {
				if !yield(n, batch) {
					return
				}
				n, batch = n+size, nil
			}
		}
		if len(batch) > 0 {
			yield(n, batch)
		}
	}
}

// lines are the readings as points of InfluxDB.
func (p *past) lines() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var b []byte
		for r := range p.readings() {
			b = append(append(b[:0], "generic,device="...), p.id(r.device)...)
			between := byte(' ')
			for i, m := range pastMetrics {
				b = append(append(append(b, between), m.name...), '=')
				b = strconv.AppendFloat(b, r.values[i], 'f', -1, 64)
				between = ','
			}
			b = strconv.AppendInt(append(b, ' '), r.at, 10)
			if !yield(b) {
				return
			}
		}
	}
}

// means are those of a device's windows, gone through without any database.
func (p *past) means(device int, from, to time.Time, window time.Duration) (ms []float64) {
	last, n := int64(-1), 0.0
	for r := range p.readings() {
		if r.device != device || r.at < from.UnixMilli() || r.at >= to.UnixMilli() {
			continue
		}
		if w := r.at / window.Milliseconds(); w != last {
			last, n, ms = w, 0, append(ms, 0)
		}
		n++
		m := &ms[len(ms)-1]
		*m += (r.values[0] - *m) / n
	}
	return ms
}
