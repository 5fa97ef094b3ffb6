package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Link is a block's place in its device's chain.
type Link struct {
	No   int64 // from 1
	Hash []byte
}

// content is the hash of what is in a block: whose it is, of what kind and time,
// the run as it lies on the shelf, and the names of the metrics in it, which the
// shelf keeps apart.
func content(dev string, kind uint8, first, last int64, n int, body []byte, metrics []string) []byte {
	h := sha256.New()
	number := func(x int64) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(x))
		h.Write(b[:])
	}
	text := func(s []byte) {
		number(int64(len(s)))
		h.Write(s)
	}
	text([]byte(dev))
	number(int64(kind))
	number(first)
	number(last)
	number(int64(n))
	text(body)
	for _, m := range metrics {
		text([]byte(m))
	}
	return h.Sum(nil)
}

// next is the link of a block with that content behind l.
func (l Link) next(content []byte) Link {
	h := sha256.New()
	h.Write(l.Hash)
	var no [8]byte
	binary.BigEndian.PutUint64(no[:], uint64(l.No+1))
	h.Write(no[:])
	h.Write(content)
	return Link{l.No + 1, h.Sum(nil)}
}

// metricsOf names the metrics of a run, in its order.
func metricsOf(kind uint8, body []byte, name func(uint64) (string, bool)) ([]string, error) {
	if kind != kindReading {
		return nil, nil
	}
	r, err := newRunReader(body)
	if err != nil {
		return nil, err
	}
	if _, err := r.heads(); err != nil {
		return nil, err
	}
	names := make([]string, r.count())
	for i := range names {
		c, err := r.nextColumn()
		if err != nil {
			return nil, err
		}
		var ok bool
		if names[i], ok = name(c.metric); !ok {
			return nil, fmt.Errorf("%w: a metric has no name", errRun)
		}
	}
	return names, r.err
}
