package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"haidang/devices"
	"haidang/ingest"
)

// migrate turns the files of an earlier version, which had a row for each
// entry, into shelves. It is done at the first start, when the log has nothing
// yet; broken off, it goes on where it was at the next.
func (j *Journal) migrate(ctx context.Context) error {
	_, head, err := j.log.places(ctx)
	if err != nil || head > 0 {
		return err
	}
	starts, err := listShelves(j.dir)
	if err != nil {
		return fmt.Errorf("list journal folder: %w", err)
	}
	newest := map[markKey]int64{}
	for _, start := range starts {
		s, err := j.shelf(ctx, start, true)
		if err != nil {
			return err
		}
		if err := s.migrate(ctx); err != nil {
			return fmt.Errorf("bring %s into this version's form: %w", s.path, err)
		}
		last, err := s.newest(ctx, newest)
		if err != nil {
			return err
		}
		head = max(head, last)
	}
	if head == 0 {
		return nil
	}
	if err := j.marks.move(ctx, newest); err != nil {
		return err
	}
	if err := j.log.learn(ctx, newest); err != nil {
		return err
	}
	_, err = j.log.cut(ctx, head, head, 0)
	return err
}

const earlierEntries = `SELECT d.id, e.kind, e.ts, e.seq, e.recv, e.flags, e.lat, e.lon, e.body FROM entry e JOIN device d ON d.key = e.device ORDER BY e.device, e.kind, e.ts, e.seq`

// migrate makes runs of the rows of an earlier version's file.
func (s *shelf) migrate(ctx context.Context) error {
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name='entry'`).Scan(&n); err != nil || n == 0 {
		return err
	}
	if _, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS earlier(head INTEGER NOT NULL)`); err != nil {
		return err
	}
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer w.rollback()
	rows, err := s.db.QueryContext(ctx, earlierEntries)
	if err != nil {
		return err
	}
	defer rows.Close()
	var part []ingest.Entry
	for rows.Next() {
		e, err := s.earlierEntry(rows)
		if err != nil {
			return err
		}
		if len(part) > 0 {
			a, b := identify(&part[0]), identify(&e)
			if deviceOf(&part[0]) != deviceOf(&e) || a.kind != b.kind || dayOf(a.ts) != dayOf(b.ts) {
				if err := w.put(ctx, inOrder(part)); err != nil {
					return err
				}
				part = nil
			}
		}
		part = append(part, e)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(part) > 0 {
		if err := w.put(ctx, inOrder(part)); err != nil {
			return err
		}
	}
	for _, q := range []string{`INSERT INTO earlier SELECT coalesce(max(pos),0) FROM entry`, `DROP TABLE entry`} {
		if _, err := w.tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if err := w.commit(); err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `VACUUM`)
	return err
}

// newest reads how far each device has come, and the newest position that an
// earlier version gave out.
func (s *shelf) newest(ctx context.Context, into map[markKey]int64) (head ingest.Pos, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT d.id, r.kind, max(r.last) FROM run r JOIN device d ON d.key = r.device GROUP BY r.device, r.kind`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var k markKey
		var last int64
		if err := rows.Scan(&k.device, &k.kind, &last); err != nil {
			return 0, err
		}
		if old, ok := into[k]; !ok || last > old {
			into[k] = last
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE name='earlier'`).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	err = s.db.QueryRowContext(ctx, `SELECT coalesce(max(head),0) FROM earlier`).Scan(&head)
	return head, err
}

// earlierEntry reads a row of an earlier version.
func (s *shelf) earlierEntry(rows *sql.Rows) (e ingest.Entry, err error) {
	var dev string
	var kind, ts, seq, recv, flags int64
	var lat, lon sql.NullFloat64
	var body []byte
	if err := rows.Scan(&dev, &kind, &ts, &seq, &recv, &flags, &lat, &lon, &body); err != nil {
		return e, err
	}
	var pos *devices.Position
	if flags&8 != 0 {
		pos = &devices.Position{Lat: lat.Float64, Lon: lon.Float64}
	}
	late, assumed := ingest.Lateness(flags>>1&3), flags&1 != 0
	if kind == kindEvent {
		var b struct {
			Type, Severity string
			Data           json.RawMessage
		}
		if err := json.Unmarshal(body, &b); err != nil {
			return e, fmt.Errorf("%w: %w", errPacked, err)
		}
		return ingest.Entry{Event: &ingest.Event{Device: devices.ID(dev), FixTime: milli(ts), ReceivedAt: milli(recv), TimeAssumed: assumed,
			Lateness: late, Type: b.Type, Severity: b.Severity, Position: pos, Data: b.Data}}, nil
	}
	r := &ingest.Reading{Device: devices.ID(dev), FixTime: milli(ts), ReceivedAt: milli(recv), TimeAssumed: assumed, Lateness: late, Seq: seq, Position: pos}
	if seq < 0 {
		r.Seq = ingest.NoSeq
	}
	if flags&16 != 0 {
		r.SentAt = milli(recv - flags>>8)
	}
	p := reader{b: body}
	for len(p.b) > 0 {
		k, v := p.value()
		var ok bool
		if v.Metric, ok = s.metrics.name(k); !ok && p.err == nil {
			p.fail()
		}
		r.Values = append(r.Values, v)
	}
	return ingest.Entry{Reading: r}, p.err
}
