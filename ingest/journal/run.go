package journal

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/klauspost/compress/zstd"

	"haidang/devices"
	"haidang/ingest"
)

// A run is a device's readings, or its events, of one day in order of time,
// column by column: what changes little from one to the next becomes small
// differences, and those compress well. A leading byte says how: packed as it
// is, or zstd over it.
const (
	runPlain = 1
	runZstd  = 2
)

// maxRun is the most entries of one run.
const maxRun = 2048

// zstdFrom is from how many bytes on a run is worth compressing.
const zstdFrom = 128

var (
	zstdEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17), zstd.WithEncoderCRC(true))
	zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20))
)

var errRun = errors.New("run is damaged")

// encodeRun packs entries of one device and kind; metric gives a metric's key.
func encodeRun(es []ingest.Entry, metric func(string) (uint64, error)) ([]byte, error) {
	b := binary.AppendUvarint([]byte{runPlain}, uint64(len(es)))
	heads := make([]head, len(es))
	for i := range es {
		heads[i] = headOf(&es[i])
	}
	b = appendHeads(b, heads)
	if es[0].Event != nil {
		b = appendEvents(b, es)
	} else {
		var err error
		if b, err = appendMetrics(b, es, metric); err != nil {
			return nil, err
		}
	}
	if len(b) < zstdFrom {
		return b, nil
	}
	if z := zstdEncoder.EncodeAll(b[1:], []byte{runZstd}); len(z) < len(b) {
		return z, nil
	}
	return b, nil
}

// head is what readings and events have in common.
type head struct {
	flags    byte
	ts, recv int64
	seq      int64
	ahead    int64 // how long before it was received it was sent, ms
	pos      *devices.Position
}

func headOf(e *ingest.Entry) head {
	if ev := e.Event; ev != nil {
		return head{flags: flagEvent | flagsOf(ev.TimeAssumed, ev.TimeSuspect, ev.Lateness, ev.Position), ts: ev.FixTime.UnixMilli(), recv: ev.ReceivedAt.UnixMilli(), pos: ev.Position}
	}
	r := e.Reading
	h := head{flags: readingFlags(r), ts: r.FixTime.UnixMilli(), recv: r.ReceivedAt.UnixMilli(), seq: r.Seq, pos: r.Position}
	if h.flags&flagSent != 0 {
		h.ahead = h.recv - r.SentAt.UnixMilli()
	}
	return h
}

// block appends a column with its length before it, so that it can be skipped.
func block(b []byte, column []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(column))), column...)
}

// deltas packs numbers as differences; of differences when twice is set.
func deltas(n int, twice bool, at func(int) int64) []byte {
	var b []byte
	var last, step int64
	for i := range n {
		x := at(i)
		d := x - last
		if twice {
			b = binary.AppendVarint(b, d-step)
		} else {
			b = binary.AppendVarint(b, d)
		}
		last, step = x, d
	}
	return b
}

func appendHeads(b []byte, hs []head) []byte {
	n := len(hs)
	b = block(b, deltas(n, true, func(i int) int64 { return hs[i].ts }))
	b = block(b, deltas(n, false, func(i int) int64 { return hs[i].recv - hs[i].ts }))
	flags := make([]byte, n)
	var seqs, aheads []int64
	var where []*devices.Position
	for i := range hs {
		flags[i] = hs[i].flags
		if hs[i].flags&flagSeq != 0 {
			seqs = append(seqs, hs[i].seq)
		}
		if hs[i].flags&flagSent != 0 {
			aheads = append(aheads, hs[i].ahead)
		}
		if hs[i].pos != nil {
			where = append(where, hs[i].pos)
		}
	}
	if !slices.ContainsFunc(flags, func(f byte) bool { return f != flags[0] }) {
		flags = flags[:1]
	}
	b = block(b, flags)
	b = block(b, deltas(len(seqs), true, func(i int) int64 { return seqs[i] }))
	b = block(b, deltas(len(aheads), false, func(i int) int64 { return aheads[i] }))
	b = block(b, numbers(len(where), func(i int) float64 { return where[i].Lat }, degreeScale))
	return block(b, numbers(len(where), func(i int) float64 { return where[i].Lon }, degreeScale))
}

// degreeScale is that of positions with up to six decimals, a tenth of a metre;
// others are kept as they are.
const degreeScale = 6

// numbers packs a column: one byte of scale, then differences of what the
// numbers are at that scale; or rawScale, and eight bytes each.
func numbers(n int, at func(int) float64, least int) []byte {
	if n == 0 {
		return nil
	}
	ms := make([]int64, n)
	scale := least
	for i := 0; i < n; i++ {
		m, s, ok := scaled(at(i), scale)
		if !ok {
			b := []byte{rawScale}
			for k := range n {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(at(k)))
			}
			return b
		}
		if ms[i] = m; s > scale {
			scale, i = s, -1 // all anew, with more decimals
		}
	}
	return append([]byte{byte(scale)}, deltas(n, false, func(i int) int64 { return ms[i] })...)
}

// appendMetrics packs each metric as a column. A reading in which a metric
// stands twice has it in two columns.
func appendMetrics(b []byte, es []ingest.Entry, metric func(string) (uint64, error)) ([]byte, error) {
	type column struct {
		name   string
		rows   []int
		values []ingest.Value
	}
	var columns []*column
	for i := range es {
		from := 0
		for _, v := range es[i].Reading.Values {
			k := from
			for k < len(columns) && (columns[k].name != v.Metric || len(columns[k].rows) > 0 && columns[k].rows[len(columns[k].rows)-1] == i) {
				k++
			}
			if k == len(columns) && from > 0 { // not in the usual order
				for k = 0; k < len(columns) && (columns[k].name != v.Metric || columns[k].rows[len(columns[k].rows)-1] == i); k++ {
				}
			}
			if k == len(columns) {
				columns = append(columns, &column{name: v.Metric})
			}
			c := columns[k]
			c.rows, c.values = append(c.rows, i), append(c.values, v)
			from = k + 1
		}
	}
	b = binary.AppendUvarint(b, uint64(len(columns)))
	for _, c := range columns {
		k, err := metric(c.name)
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, k)
		var present, quality []byte
		if len(c.rows) < len(es) {
			present = make([]byte, (len(es)+7)/8)
			for _, i := range c.rows {
				present[i/8] |= 1 << (i % 8)
			}
		}
		if slices.ContainsFunc(c.values, func(v ingest.Value) bool { return v.Quality != ingest.Good }) {
			quality = make([]byte, len(c.values))
			for i, v := range c.values {
				quality[i] = byte(v.Quality)
			}
		}
		b = block(block(b, present), quality)
		b = block(b, numbers(len(c.values), func(i int) float64 { return c.values[i].Number }, 0))
	}
	return b, nil
}

func appendEvents(b []byte, es []ingest.Entry) []byte {
	for i := range es {
		ev := es[i].Event
		for _, s := range [...]string{ev.Type, ev.Severity, string(ev.Data)} {
			b = block(b, []byte(s))
		}
	}
	return b
}
