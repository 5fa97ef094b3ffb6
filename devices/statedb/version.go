package statedb

import (
	"fmt"

	"github.com/pressly/goose/v3/database"
)

func newVersionStore(table string) (database.Store, error) {
	s, err := database.NewStore(database.DialectSQLite3, table)
	if err != nil {
		return nil, fmt.Errorf("version table %s: %w", table, err)
	}
	return s, nil
}
