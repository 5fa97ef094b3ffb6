package people

import (
	"database/sql"
	"testing"

	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

const goodPassword = "bốn con chim sẻ trên mái"

// house is a store on a real database, whose areas are a tree by their codes:
// "a/b" lies in "a".
func house(t *testing.T, o Options) (*Store, *sql.DB) {
	t.Helper()
	db := statedbtest.Open(t)
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), db, log, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

// add makes an account that has changed its first password.
func add(t *testing.T, s *Store, name string, grants ...Grant) {
	t.Helper()
	if len(grants) == 0 {
		grants = []Grant{{Role: "viewer"}}
	}
	_, first, err := s.Create(t.Context(), Account{Name: name, Grants: grants})
	if err == nil {
		err = s.SetPassword(t.Context(), name, first, goodPassword, "", "")
	}
	if err != nil {
		t.Fatal(err)
	}
}
