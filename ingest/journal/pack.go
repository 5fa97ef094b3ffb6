package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// An entry in the log is: one byte of flags, the device's key, fix time in ms,
// how long after it the entry was received, then what the flags say is there:
// the sequence number, how long before it was received it was sent, the
// position; then an event's three texts, or the count of values and the values.
const (
	flagEvent = 1 << iota
	flagAssumed
	flagLate1 // two bits of lateness
	flagLate2
	flagPosition
	flagSeq
	flagSent
	flagSuspect
	latenessShift = 2
	latenessMask  = 3
)

func flagsOf(assumed, suspect bool, l ingest.Lateness, p *devices.Position) byte {
	f := byte(l&latenessMask) << latenessShift
	if assumed {
		f |= flagAssumed
	}
	if suspect {
		f |= flagSuspect
	}
	if p != nil {
		f |= flagPosition
	}
	return f
}

func readingFlags(r *ingest.Reading) byte {
	f := flagsOf(r.TimeAssumed, r.TimeSuspect, r.Lateness, r.Position)
	if r.Seq != ingest.NoSeq {
		f |= flagSeq
	}
	if !r.SentAt.IsZero() {
		f |= flagSent
	}
	return f
}

// packEntry appends e to b; metric gives a metric's key.
func packEntry(b []byte, e *ingest.Entry, dev uint64, metric func(string) (uint64, error)) ([]byte, error) {
	if ev := e.Event; ev != nil {
		b = packHead(b, flagEvent|flagsOf(ev.TimeAssumed, ev.TimeSuspect, ev.Lateness, ev.Position), dev, ev.FixTime, ev.ReceivedAt)
		b = packPosition(b, ev.Position)
		for _, s := range [...]string{ev.Type, ev.Severity, string(ev.Data)} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
		return b, nil
	}
	r := e.Reading
	f := readingFlags(r)
	b = packHead(b, f, dev, r.FixTime, r.ReceivedAt)
	if f&flagSeq != 0 {
		b = binary.AppendVarint(b, r.Seq)
	}
	if f&flagSent != 0 {
		b = binary.AppendVarint(b, r.ReceivedAt.UnixMilli()-r.SentAt.UnixMilli())
	}
	b = packPosition(b, r.Position)
	b = binary.AppendUvarint(b, uint64(len(r.Values)))
	for _, v := range r.Values {
		k, err := metric(v.Metric)
		if err != nil {
			return nil, err
		}
		b = packValue(b, k, v)
	}
	return b, nil
}

func packHead(b []byte, flags byte, dev uint64, fix, received time.Time) []byte {
	ts := fix.UnixMilli()
	b = binary.AppendUvarint(append(b, flags), dev)
	b = binary.AppendVarint(b, ts)
	return binary.AppendVarint(b, received.UnixMilli()-ts)
}

func packPosition(b []byte, p *devices.Position) []byte {
	if p == nil {
		return b
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Lat))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Lon))
}

// A packed value is: metric key (uvarint), one byte of quality (high nibble)
// and scale (low nibble), then the number. Most sensors say decimals with few
// digits: those are kept as a zigzag varint of number × 10^scale, exactly.
// Anything else is kept as its eight bytes under scale rawScale.
const (
	rawScale = 15
	maxScale = 6
)

var pow10 = [maxScale + 1]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}

func packValue(b []byte, key uint64, v ingest.Value) []byte {
	b = binary.AppendUvarint(b, key)
	q := byte(v.Quality) << 4
	if m, scale, ok := scaled(v.Number, 0); ok {
		return binary.AppendVarint(append(b, q|byte(scale)), m)
	}
	return binary.LittleEndian.AppendUint64(append(b, q|rawScale), math.Float64bits(v.Number))
}

// scaled finds the smallest scale, from least on, at which x is a whole number
// that gives back exactly x. Negative zero has no such form.
func scaled(x float64, least int) (m int64, scale int, ok bool) {
	if x == 0 && math.Signbit(x) {
		return 0, 0, false
	}
	for scale = least; scale <= maxScale; scale++ {
		p := pow10[scale]
		r := math.Round(x * p)
		if !(math.Abs(r) < 1<<53) {
			return 0, 0, false
		}
		if r/p == x {
			return int64(r), scale, true
		}
	}
	return 0, 0, false
}

var errPacked = errors.New("packed entry is damaged")

// reader takes packed bytes apart; a fault is noted once, in err.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	r.b, r.err = nil, errPacked
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return x
}

// count reads a number of things that each take at least one byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) float() float64 {
	if b := r.bytes(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *reader) value() (key uint64, v ingest.Value) {
	key = r.uvarint()
	tag := r.byte()
	v.Quality = ingest.Quality(tag >> 4)
	switch scale := tag & 15; {
	case scale == rawScale:
		v.Number = r.float()
	case scale <= maxScale:
		v.Number = float64(r.varint()) / pow10[scale]
	default:
		r.fail()
	}
	return key, v
}

func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// unpackEntry reads back what packEntry wrote.
func unpackEntry(b []byte, device, metric func(uint64) (string, bool)) (e ingest.Entry, err error) {
	r := reader{b: b}
	f := r.byte()
	dev, ok := device(r.uvarint())
	if !ok {
		return e, fmt.Errorf("%w: its device has no name", errPacked)
	}
	ts := r.varint()
	recv := ts + r.varint()
	seq, sent := ingest.NoSeq, time.Time{}
	if f&flagSeq != 0 {
		seq = r.varint()
	}
	if f&flagSent != 0 {
		sent = milli(recv - r.varint())
	}
	var pos *devices.Position
	if f&flagPosition != 0 {
		pos = &devices.Position{Lat: r.float(), Lon: r.float()}
	}
	late := ingest.Lateness(f >> latenessShift & latenessMask)
	if f&flagEvent != 0 {
		ev := &ingest.Event{Device: devices.ID(dev), FixTime: milli(ts), ReceivedAt: milli(recv), TimeAssumed: f&flagAssumed != 0, TimeSuspect: f&flagSuspect != 0, Lateness: late, Position: pos}
		ev.Type, ev.Severity, ev.Data = string(r.bytes(r.count())), string(r.bytes(r.count())), bytes.Clone(r.bytes(r.count()))
		if len(ev.Data) == 0 {
			ev.Data = nil
		}
		return ingest.Entry{Event: ev}, r.err
	}
	rd := &ingest.Reading{Device: devices.ID(dev), FixTime: milli(ts), SentAt: sent, ReceivedAt: milli(recv),
		TimeAssumed: f&flagAssumed != 0, TimeSuspect: f&flagSuspect != 0, Lateness: late, Seq: seq, Position: pos}
	rd.Values = make([]ingest.Value, r.count())
	for i := range rd.Values {
		k, v := r.value()
		if v.Metric, ok = metric(k); !ok && r.err == nil {
			return e, fmt.Errorf("%w: a metric has no name", errPacked)
		}
		rd.Values[i] = v
	}
	return ingest.Entry{Reading: rd}, r.err
}
