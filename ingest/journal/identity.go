package journal

import (
	"cmp"
	"encoding/binary"
	"math"

	"haidang/devices"
	"haidang/ingest"
)

// The kinds of entry.
const (
	kindReading = 1
	kindEvent   = 2
)

// identity is what makes an entry of a device the same as another.
type identity struct {
	kind uint8
	ts   int64 // fix time, ms since 1970
	seq  int64 // the device's number; negative: made of the content, for it gave none
}

func (a identity) compare(b identity) int {
	return cmp.Or(cmp.Compare(a.ts, b.ts), cmp.Compare(a.seq, b.seq))
}

func identify(e *ingest.Entry) identity {
	if ev := e.Event; ev != nil {
		h := newHash()
		h.text(ev.Type)
		h.text(ev.Severity)
		h.text(string(ev.Data))
		h.position(ev.Position)
		return identity{kindEvent, ev.FixTime.UnixMilli(), h.seq()}
	}
	r := e.Reading
	id := identity{kindReading, r.FixTime.UnixMilli(), r.Seq}
	if r.Seq == ingest.NoSeq {
		id.seq = contentSeq(r)
	}
	return id
}

// contentSeq stands in for a missing sequence number: a message sent twice has
// the same content and counts once, two different messages of one instant are
// both kept. The order of values does not count.
func contentSeq(r *ingest.Reading) int64 {
	var sum hash
	for _, v := range r.Values {
		h := newHash()
		h.text(v.Metric)
		h.number(math.Float64bits(v.Number))
		h.byte(byte(v.Quality))
		sum += h
	}
	h := newHash()
	h.number(uint64(sum))
	h.position(r.Position)
	return h.seq()
}

// hash is FNV-1a, which is the same in every run.
type hash uint64

func newHash() hash { return 14695981039346656037 }

func (h *hash) byte(b byte) { *h = (*h ^ hash(b)) * 1099511628211 }

func (h *hash) text(s string) {
	for i := range len(s) {
		h.byte(s[i])
	}
	h.byte(0)
}

func (h *hash) number(x uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], x)
	for _, c := range b {
		h.byte(c)
	}
}

func (h *hash) position(p *devices.Position) {
	if p != nil {
		h.number(math.Float64bits(p.Lat))
		h.number(math.Float64bits(p.Lon))
	}
}

// seq is below every real number, NoSeq included.
func (h hash) seq() int64 { return -int64(h>>2) - 2 }
