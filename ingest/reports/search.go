package reports

import (
	"context"
	"fmt"

	"haidang/devices"
	"haidang/devices/personal"
)

// searchText is what a report is found by. What tells a person is not in it: a
// search must not tell whose report it is.
func searchText(code, category, description, address string) string {
	return devices.Fold(code + "\n" + category + "\n" + personal.Text(description) + "\n" + personal.Address(address))
}

// fillSearch serves reports taken before they could be searched.
func (s *Service) fillSearch(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, `SELECT code, category, description, address FROM report WHERE search = ''`)
	if err != nil {
		return fmt.Errorf("index reports: %w", err)
	}
	defer rows.Close()
	texts := map[string]string{}
	for rows.Next() {
		var code, category, description, address string
		if err := rows.Scan(&code, &category, &description, &address); err != nil {
			return fmt.Errorf("index reports: %w", err)
		}
		texts[code] = searchText(code, s.category(category).Name.VI, description, address)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("index reports: %w", err)
	}
	for code, text := range texts {
		if _, err := s.db.ExecContext(ctx, `UPDATE report SET search = ? WHERE code = ?`, text, code); err != nil {
			return fmt.Errorf("index report %s: %w", code, err)
		}
	}
	return nil
}
