package journal

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// row is an entry as its table has it.
type row struct {
	pos      ingest.Pos
	device   string
	kind     int64
	ts       int64
	seq      int64
	recv     int64
	flags    int64
	lat, lon sql.NullFloat64
	body     []byte
}

const (
	flagTimeAssumed = 1
	flagPosition    = 8
	latenessShift   = 1
	latenessMask    = 3
	// flagSent: the device said when it sent; the flags from sentShift on are
	// how many ms before arrival that was.
	flagSent  = 16
	sentShift = 8
)

func fixTime(e *ingest.Entry) time.Time {
	if e.Event != nil {
		return e.Event.FixTime
	}
	return e.Reading.FixTime
}

// newRow fills everything but the position's key and the body.
func newRow(e *ingest.Entry) row {
	if ev := e.Event; ev != nil {
		r := row{device: string(ev.Device), kind: kindEvent, ts: ev.FixTime.UnixMilli(), seq: ingest.NoSeq, recv: ev.ReceivedAt.UnixMilli()}
		r.mark(ev.TimeAssumed, ev.Lateness, ev.Position)
		return r
	}
	rd := e.Reading
	r := row{device: string(rd.Device), kind: kindReading, ts: rd.FixTime.UnixMilli(), seq: rd.Seq, recv: rd.ReceivedAt.UnixMilli()}
	r.mark(rd.TimeAssumed, rd.Lateness, rd.Position)
	if !rd.SentAt.IsZero() {
		r.flags |= flagSent | rd.ReceivedAt.Sub(rd.SentAt).Milliseconds()<<sentShift
	}
	return r
}

func (r *row) mark(assumed bool, l ingest.Lateness, p *devices.Position) {
	if assumed {
		r.flags |= flagTimeAssumed
	}
	r.flags |= int64(l) << latenessShift
	if p != nil {
		r.flags |= flagPosition
		r.lat = sql.NullFloat64{Float64: p.Lat, Valid: true}
		r.lon = sql.NullFloat64{Float64: p.Lon, Valid: true}
	}
}

// eventBody is an event's stored form.
type eventBody struct {
	Type     string          `json:"type"`
	Severity string          `json:"severity,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

func packEvent(e *ingest.Event) ([]byte, error) {
	b, err := json.Marshal(eventBody{e.Type, e.Severity, e.Data})
	if err != nil {
		return nil, fmt.Errorf("pack event: %w", err)
	}
	return b, nil
}

const rowColumns = `pos, device, kind, ts, seq, recv, flags, lat, lon, body`

// scanRow reads the columns rowColumns; device comes as the dictionary's key.
func (f *file) scanRow(rows *sql.Rows) (ingest.Entry, error) {
	var r row
	var dev int64
	if err := rows.Scan(&r.pos, &dev, &r.kind, &r.ts, &r.seq, &r.recv, &r.flags, &r.lat, &r.lon, &r.body); err != nil {
		return ingest.Entry{}, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	r.device = f.devices.names[dev]
	return f.entry(&r)
}

// entry turns a row back into what was appended.
func (f *file) entry(r *row) (ingest.Entry, error) {
	var pos *devices.Position
	if r.flags&flagPosition != 0 {
		pos = &devices.Position{Lat: r.lat.Float64, Lon: r.lon.Float64}
	}
	ts, recv := time.UnixMilli(r.ts).UTC(), time.UnixMilli(r.recv).UTC()
	late := ingest.Lateness(r.flags >> latenessShift & latenessMask)
	assumed := r.flags&flagTimeAssumed != 0
	if r.kind == kindEvent {
		var b eventBody
		if err := json.Unmarshal(r.body, &b); err != nil {
			return ingest.Entry{}, fmt.Errorf("entry %d: %w", r.pos, err)
		}
		return ingest.Entry{Pos: r.pos, Event: &ingest.Event{Device: devices.ID(r.device), FixTime: ts, ReceivedAt: recv,
			TimeAssumed: assumed, Lateness: late, Type: b.Type, Severity: b.Severity, Position: pos, Data: b.Data}}, nil
	}
	vals, err := unpack(r.body, func(k uint64) string { return f.metrics.names[int64(k)] })
	if err != nil {
		return ingest.Entry{}, fmt.Errorf("entry %d: %w", r.pos, err)
	}
	seq := r.seq
	if seq < 0 {
		seq = ingest.NoSeq
	}
	var sent time.Time
	if r.flags&flagSent != 0 {
		sent = time.UnixMilli(r.recv - r.flags>>sentShift).UTC()
	}
	return ingest.Entry{Pos: r.pos, Reading: &ingest.Reading{Device: devices.ID(r.device), FixTime: ts, SentAt: sent, ReceivedAt: recv,
		TimeAssumed: assumed, Lateness: late, Seq: seq, Position: pos, Values: vals}}, nil
}
