package areas_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

// open opens the areas of a new database: those that ship.
func open(t testing.TB) (*areas.Store, *audit.Log, *sql.DB) {
	t.Helper()
	db := statedbtest.Open(t)
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, db, log), log, db
}

func reopen(t testing.TB, db *sql.DB, log *audit.Log) *areas.Store {
	t.Helper()
	s, err := areas.Open(t.Context(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// apply imports a file that must be right.
func apply(t testing.TB, s *areas.Store, file string) *areas.Preview {
	t.Helper()
	p := s.Preview([]byte(file))
	if p.ErrorCount > 0 {
		t.Fatalf("%+v", p.Errors)
	}
	if _, err := s.Apply(t.Context(), []byte(file), p.Token); err != nil {
		t.Fatal(err)
	}
	return p
}

// table is a CSV with the columns that most tests need.
func table(rows ...string) string {
	return "code,name,type,parent,valid_from,valid_to,predecessors\n" + strings.Join(rows, "\n") + "\n"
}

// box is a square of GeoJSON coordinates, w to e and s to n degrees.
func box(w, s, e, n float64) string {
	return fmt.Sprintf("[[[%[1]g,%[2]g],[%[3]g,%[2]g],[%[3]g,%[4]g],[%[1]g,%[4]g],[%[1]g,%[2]g]]]", w, s, e, n)
}

// feature is one of GeoJSON; properties are the inside of its object.
func feature(properties, coordinates string) string {
	geometry := "null"
	if coordinates != "" {
		geometry = `{"type":"Polygon","coordinates":` + coordinates + `}`
	}
	return `{"type":"Feature","properties":{` + properties + `},"geometry":` + geometry + `}`
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}
