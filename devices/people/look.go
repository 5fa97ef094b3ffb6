package people

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Weaknesses are what is weak about who may enter; names are of accounts that are
// not disabled.
type Weaknesses struct {
	// Accounts is how many there are.
	Accounts int
	// AdminsByPassword may manage people, and have no second factor; those of an
	// identity provider have its own.
	AdminsByPassword []string
	// FirstPasswords were given a week ago or more and not changed.
	FirstPasswords []string
	// LongUnused did not sign in for half a year.
	LongUnused []string
}

const (
	firstFor  = 7 * 24 * time.Hour
	unusedFor = 183 * 24 * time.Hour
)

// Look finds what is weak in a database that may be open elsewhere. It only
// reads, and brings nothing up to date.
func Look(ctx context.Context, db *sql.DB, now time.Time) (w Weaknesses, err error) {
	managing, err := managers(ctx, db)
	if err != nil {
		return w, err
	}
	rows, err := db.QueryContext(ctx, `SELECT name,grants,must_change,totp_secret<>'',subject IS NOT NULL,created_at,signed_in_at FROM account WHERE disabled=0 ORDER BY key`)
	if err != nil {
		return w, fmt.Errorf("look at accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, grants string
		var first, factor, outside bool
		var created, signedIn int64
		if err := rows.Scan(&name, &grants, &first, &factor, &outside, &created, &signedIn); err != nil {
			return w, fmt.Errorf("look at accounts: %w", err)
		}
		var gs []Grant
		if err := json.Unmarshal([]byte(grants), &gs); err != nil {
			return w, fmt.Errorf("look at account %s: %w", name, err)
		}
		w.Accounts++
		manages := slices.ContainsFunc(gs, func(g Grant) bool { return slices.Contains(managing, g.Role) })
		switch {
		case first && now.Sub(stamp(created)) >= firstFor:
			w.FirstPasswords = append(w.FirstPasswords, name)
		case !first && now.Sub(stamp(max(created, signedIn))) >= unusedFor:
			w.LongUnused = append(w.LongUnused, name)
		}
		if manages && !factor && !outside {
			w.AdminsByPassword = append(w.AdminsByPassword, name)
		}
	}
	return w, rows.Err()
}

// managers are the ids of the roles that may manage people.
func managers(ctx context.Context, db *sql.DB) (ids []string, err error) {
	shipped, err := ShippedRoles()
	if err != nil {
		return nil, err
	}
	for _, r := range shipped {
		if slices.Contains(r.Actions, PersonManage) {
			ids = append(ids, r.ID)
		}
	}
	rows, err := db.QueryContext(ctx, `SELECT people_role.id FROM people_role, json_each(people_role.actions) WHERE json_each.value = ?`, string(PersonManage))
	if err != nil {
		return nil, fmt.Errorf("look at roles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look at roles: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
