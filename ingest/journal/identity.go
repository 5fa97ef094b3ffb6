package journal

import (
	"cmp"

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
		return identity{kindEvent, ev.FixTime.UnixMilli(), ev.ContentSeq()}
	}
	r := e.Reading
	id := identity{kindReading, r.FixTime.UnixMilli(), r.Seq}
	if r.Seq == ingest.NoSeq {
		id.seq = r.ContentSeq()
	}
	return id
}
