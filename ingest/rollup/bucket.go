package rollup

import "time"

// Bucket is one metric over one hour or day. Only good values count.
type Bucket struct {
	// Start is the first instant, UTC.
	Start time.Time
	Count int64
	// Expected is how many values the device's interval lets expect.
	Expected             float64
	Mean, Min, Max, Last float64
	// Provisional says that the time is not over, or was touched and is to be
	// made again: the figures are right for what is known now.
	Provisional bool
}

// Completeness is the share of the expected values that are there, at most 1.
// An hourly mean of the environment counts from 0.75 on (Circular 10/2021: 9 of
// 12 values).
func (b *Bucket) Completeness() float64 {
	if b.Expected <= 0 {
		return 1
	}
	return min(1, float64(b.Count)/b.Expected)
}

// add takes one more value, the newest so far.
func (b *Bucket) add(x float64) {
	if b.Count == 0 {
		b.Min, b.Max = x, x
	}
	b.Count++
	b.Mean += (x - b.Mean) / float64(b.Count)
	b.Min, b.Max, b.Last = min(b.Min, x), max(b.Max, x), x
}

// join takes in a bucket that follows.
func (b *Bucket) join(next *Bucket) {
	if next.Count == 0 {
		return
	}
	if b.Count == 0 {
		b.Min, b.Max = next.Min, next.Max
	}
	b.Count += next.Count
	b.Mean += (next.Mean - b.Mean) * float64(next.Count) / float64(b.Count)
	b.Min, b.Max, b.Last = min(b.Min, next.Min), max(b.Max, next.Max), next.Last
	b.Provisional = b.Provisional || next.Provisional
}

const hourMS = 3600_000

func hourOf(t time.Time) int64 {
	h := t.UnixMilli() / hourMS
	if t.UnixMilli()%hourMS < 0 {
		h--
	}
	return h
}

func hourStart(h int64) time.Time { return time.UnixMilli(h * hourMS).UTC() }

// vietnam is ahead of UTC by so many hours; days are Vietnam's.
const vietnam = 7

func dayOfHour(h int64) int64 {
	d := (h + vietnam) / 24
	if (h+vietnam)%24 < 0 {
		d--
	}
	return d
}

// firstHour is the hour with which a day begins.
func firstHour(day int64) int64 { return day*24 - vietnam }
