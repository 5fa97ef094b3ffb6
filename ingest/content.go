package ingest

import (
	"encoding/binary"
	"math"

	"haidang/devices"
)

// ContentSeq stands in for a missing sequence number: a message sent twice has
// the same content and counts once, two different messages of one instant are
// both kept. The order of values does not count, nor what is derived. It is
// below NoSeq, and stays what it is: the journal's shelves are in its order.
func (r *Reading) ContentSeq() int64 {
	var sum hash
	for _, v := range r.Values {
		if v.Derived {
			continue
		}
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

// ContentSeq is as a reading's: an event never has a number of its own.
func (e *Event) ContentSeq() int64 {
	h := newHash()
	h.text(e.Type)
	h.text(e.Severity)
	h.text(string(e.Data))
	h.position(e.Position)
	return h.seq()
}

// fixSeq gives a reading with derived values the number that its content stands
// for now: once kept, it no longer shows which of them were derived.
func (r *Reading) fixSeq() {
	if r.Seq != NoSeq {
		return
	}
	for i := range r.Values {
		if r.Values[i].Derived {
			r.Seq = r.ContentSeq()
			return
		}
	}
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
