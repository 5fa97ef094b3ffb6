package retention

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// ofPersons are the classes of what tells a person.
var ofPersons = []string{Plates, DeadLetters, ReportPersonal, Photos}

// Look finds which classes of what tells a person are kept for ever, in a database
// that may be open elsewhere, or be of before there were classes. It only reads.
func Look(ctx context.Context, db *sql.DB) (forever []string, err error) {
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS(SELECT 1 FROM sqlite_master WHERE name = 'retention_class')`).Scan(&there); err != nil || !there {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT id FROM retention_class WHERE keep = '' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("look at retention classes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look at retention classes: %w", err)
		}
		if slices.Contains(ofPersons, id) {
			forever = append(forever, id)
		}
	}
	return forever, rows.Err()
}
