package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Filter narrows a search. Zero members do not.
type Filter struct {
	Who, Action, Kind, ID string
	From, To              time.Time // at or after, before
	// Before gives only entries with a smaller number: the next page.
	Before int64
	// Limit is the most entries; 0 means 100.
	Limit int
}

// List returns matching entries, newest first.
func (l *Log) List(ctx context.Context, f Filter) ([]Entry, error) {
	where, args := []string{"1"}, []any{}
	and := func(cond string, arg any, when bool) {
		if when {
			where, args = append(where, cond), append(args, arg)
		}
	}
	and("who = ?", f.Who, f.Who != "")
	// "device" also finds "device.create".
	and("(action || '.') LIKE ? ESCAPE '\\'", strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Action)+".%", f.Action != "")
	and("kind = ?", f.Kind, f.Kind != "")
	and("id = ?", f.ID, f.ID != "")
	and("at >= ?", f.From.UnixMilli(), !f.From.IsZero())
	and("at < ?", f.To.UnixMilli(), !f.To.IsZero())
	and("seq < ?", f.Before, f.Before > 0)
	if f.Limit <= 0 {
		f.Limit = 100
	}
	rows, err := l.db.QueryContext(ctx, selectEntries+` WHERE `+strings.Join(where, " AND ")+` ORDER BY seq DESC LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("search audit log: %w", err)
	}
	defer rows.Close()
	var es []Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("search audit log: %w", err)
		}
		es = append(es, e)
	}
	return es, rows.Err()
}

const selectEntries = `SELECT seq,at,who,role,address,action,kind,id,before,after,why,hash FROM audit`

func scan(rows *sql.Rows) (e Entry, err error) {
	var at int64
	var before, after string
	err = rows.Scan(&e.Seq, &at, &e.Who, &e.Role, &e.Address, &e.Action, &e.Kind, &e.ID, &before, &after, &e.Why, &e.Hash)
	e.At = time.UnixMilli(at).UTC()
	if before != "" {
		e.Before = []byte(before)
	}
	if after != "" {
		e.After = []byte(after)
	}
	return e, err
}
