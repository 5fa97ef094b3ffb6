package journal

import (
	"bytes"
	"errors"
	"fmt"

	"haidang/devices"
	"haidang/ingest"
)

// openRun undoes compression; what it returns is read with a runReader.
func openRun(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, errRun
	}
	switch body[0] {
	case runPlain:
		return body[1:], nil
	case runZstd:
		b, err := zstdDecoder.DecodeAll(body[1:], nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRun, err)
		}
		return b, nil
	}
	return nil, fmt.Errorf("%w: its form %d is unknown; a newer version wrote it?", errRun, body[0])
}

// undeltas reads what deltas wrote.
func undeltas(b []byte, n int, twice bool) ([]int64, error) {
	r := reader{b: b}
	xs := make([]int64, n)
	var last, step int64
	for i := range xs {
		d := r.varint()
		if twice {
			d += step
		}
		last, step = last+d, d
		xs[i] = last
	}
	return xs, r.err
}

func unnumbers(b []byte, n int) ([]float64, error) {
	if n == 0 {
		return nil, nil
	}
	r := reader{b: b}
	scale := r.byte()
	xs := make([]float64, n)
	switch {
	case scale == rawScale:
		for i := range xs {
			xs[i] = r.float()
		}
		return xs, r.err
	case scale > maxScale:
		return nil, errRun
	}
	ms, err := undeltas(r.b, n, false)
	for i, m := range ms {
		xs[i] = float64(m) / pow10[scale]
	}
	return xs, err
}

// runReader reads a run's columns in their order.
type runReader struct {
	reader
	n int
}

// newRunReader begins; a run of too many entries is damaged.
func newRunReader(body []byte) (*runReader, error) {
	b, err := openRun(body)
	if err != nil {
		return nil, err
	}
	r := &runReader{reader: reader{b: b}}
	n := r.uvarint()
	if r.err != nil || n == 0 || n > maxRun {
		return nil, errRun
	}
	r.n = int(n)
	return r, nil
}

func (r *runReader) block() []byte { return r.bytes(r.count()) }

// times reads the fix times, ms since 1970.
func (r *runReader) times() ([]int64, error) {
	ts, err := undeltas(r.block(), r.n, true)
	return ts, errors.Join(r.err, err)
}

// skip passes over columns.
func (r *runReader) skip(columns int) {
	for range columns {
		r.block()
	}
}

// headColumns are those of every run after the fix times.
const headColumns = 6

func (r *runReader) heads() ([]head, error) {
	ts, err := r.times()
	if err != nil {
		return nil, err
	}
	recv, err := undeltas(r.block(), r.n, false)
	if err != nil {
		return nil, err
	}
	flags := r.block()
	if len(flags) == 1 {
		flags = bytes.Repeat(flags, r.n)
	}
	if len(flags) != r.n {
		return nil, errRun
	}
	has := func(flag byte) (n int) {
		for _, f := range flags {
			if f&flag != 0 {
				n++
			}
		}
		return n
	}
	seqs, err1 := undeltas(r.block(), has(flagSeq), true)
	aheads, err2 := undeltas(r.block(), has(flagSent), false)
	lats, err3 := unnumbers(r.block(), has(flagPosition))
	lons, err4 := unnumbers(r.block(), has(flagPosition))
	if err := errors.Join(r.err, err1, err2, err3, err4); err != nil {
		return nil, err
	}
	hs := make([]head, r.n)
	for i := range hs {
		h := head{flags: flags[i], ts: ts[i], recv: ts[i] + recv[i], seq: ingest.NoSeq}
		if h.flags&flagSeq != 0 {
			h.seq, seqs = seqs[0], seqs[1:]
		}
		if h.flags&flagSent != 0 {
			h.ahead, aheads = aheads[0], aheads[1:]
		}
		if h.flags&flagPosition != 0 {
			h.pos = &devices.Position{Lat: lats[0], Lon: lons[0]}
			lats, lons = lats[1:], lons[1:]
		}
		hs[i] = h
	}
	return hs, nil
}

// column is one metric's values in a run.
type column struct {
	metric  uint64
	present []byte // bits; nil: in every row
	quality []byte // of the values; nil: all good
	numbers []byte // packed
	n       int    // values
}

func (c *column) in(row int) bool { return c.present == nil || c.present[row/8]&(1<<(row%8)) != 0 }

// nextColumn reads a metric's column without unpacking its numbers.
func (r *runReader) nextColumn() (c column, err error) {
	c.metric = r.uvarint()
	c.present, c.quality, c.numbers = r.block(), r.block(), r.block()
	if len(c.present) == 0 {
		c.present, c.n = nil, r.n
	} else {
		if len(c.present) != (r.n+7)/8 {
			return c, errRun
		}
		for row := range r.n {
			if c.in(row) {
				c.n++
			}
		}
	}
	if len(c.quality) == 0 {
		c.quality = nil
	} else if len(c.quality) != c.n {
		return c, errRun
	}
	return c, r.err
}

// decodeRun reads all entries of a run of dev.
func decodeRun(dev devices.ID, body []byte, metric func(uint64) (string, bool)) ([]ingest.Entry, error) {
	r, err := newRunReader(body)
	if err != nil {
		return nil, err
	}
	hs, err := r.heads()
	if err != nil {
		return nil, err
	}
	if hs[0].flags&flagEvent != 0 {
		return r.events(dev, hs)
	}
	es := make([]ingest.Entry, r.n)
	rs := make([]ingest.Reading, r.n)
	for i, h := range hs {
		rs[i] = ingest.Reading{Device: dev, FixTime: milli(h.ts), ReceivedAt: milli(h.recv), TimeAssumed: h.flags&flagAssumed != 0, TimeSuspect: h.flags&flagSuspect != 0,
			Lateness: ingest.Lateness(h.flags >> latenessShift & latenessMask), Seq: h.seq, Position: h.pos}
		if h.flags&flagSent != 0 {
			rs[i].SentAt = milli(h.recv - h.ahead)
		}
		es[i].Reading = &rs[i]
	}
	columns := r.count()
	for range columns {
		c, err := r.nextColumn()
		if err != nil {
			return nil, err
		}
		name, ok := metric(c.metric)
		if !ok {
			return nil, fmt.Errorf("%w: a metric has no name", errRun)
		}
		xs, err := unnumbers(c.numbers, c.n)
		if err != nil {
			return nil, err
		}
		k := 0
		for i := range rs {
			if !c.in(i) {
				continue
			}
			if rs[i].Values == nil {
				rs[i].Values = make([]ingest.Value, 0, min(columns, 64))
			}
			v := ingest.Value{Metric: name, Number: xs[k]}
			if c.quality != nil {
				v.Quality = ingest.Quality(c.quality[k])
			}
			rs[i].Values = append(rs[i].Values, v)
			k++
		}
	}
	return es, r.err
}

func (r *runReader) events(dev devices.ID, hs []head) ([]ingest.Entry, error) {
	es := make([]ingest.Entry, r.n)
	for i, h := range hs {
		ev := &ingest.Event{Device: dev, FixTime: milli(h.ts), ReceivedAt: milli(h.recv), TimeAssumed: h.flags&flagAssumed != 0, TimeSuspect: h.flags&flagSuspect != 0,
			Lateness: ingest.Lateness(h.flags >> latenessShift & latenessMask), Position: h.pos}
		ev.Type, ev.Severity, ev.Data = string(r.block()), string(r.block()), bytes.Clone(r.block())
		if len(ev.Data) == 0 {
			ev.Data = nil
		}
		es[i].Event = ev
	}
	return es, r.err
}
