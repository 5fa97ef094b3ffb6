package areas

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"haidang/devices"
)

// What ships with the program; shipped/README.md says where it comes from.
//
//go:embed shipped/areas.csv
var shippedAreas []byte

//go:embed shipped/outlines.geojson
var shippedOutlines []byte

// ship fills empty tables with what ships, through the same door as what people
// import. It is not audited: nobody did it.
func (s *Store) ship(ctx context.Context) error {
	f := readFile(shippedAreas)
	outlines, err := readOutlines()
	if err != nil {
		return err
	}
	for i := range f.rows {
		f.rows[i].border = outlines[f.rows[i].given["code"]][Day(f.rows[i].given["valid_from"])]
	}
	p, edits := s.now.Load().compare(f)
	if p.ErrorCount > 0 {
		return fmt.Errorf("read the areas that ship: row %d, %s: %s", p.Errors[0].Row, p.Errors[0].Field, p.Errors[0].Reason)
	}
	if err := s.put(ctx, edits, nil); !errors.Is(err, devices.ErrConflict) {
		return err
	}
	return s.load(ctx) // another program was first
}

// readOutlines reads the borders by code and first day.
func readOutlines() (map[string]map[Day]json.RawMessage, error) {
	var c struct {
		Features []struct {
			Properties struct {
				Code      string `json:"code"`
				ValidFrom Day    `json:"valid_from"`
			} `json:"properties"`
			Geometry json.RawMessage `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(shippedOutlines, &c); err != nil {
		return nil, fmt.Errorf("read the outlines that ship: %w", err)
	}
	by := map[string]map[Day]json.RawMessage{}
	for _, f := range c.Features {
		if by[f.Properties.Code] == nil {
			by[f.Properties.Code] = map[Day]json.RawMessage{}
		}
		by[f.Properties.Code][f.Properties.ValidFrom] = f.Geometry
	}
	return by, nil
}
