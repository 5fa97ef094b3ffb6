package areas_test

import (
	"testing"

	"golang.org/x/text/unicode/norm"

	"haidang/devices"
	"haidang/devices/areas"
)

// The codes that rules, simulator and screens know from the catalogue are there
// today, with its names and places.
func TestShippedAreasHaveTheCodesOfTheCatalogue(t *testing.T) {
	s, _, _ := open(t)
	c, err := devices.ShippedCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range c.Areas {
		if got, ok := s.Area(want.Code); !ok || got != want {
			t.Errorf("%s is %+v, in the catalogue %+v", want.Code, got, want)
		}
		old, err := s.Get(want.Code, "2025-06-30")
		if err != nil || !norm.NFC.IsNormalString(old.Name) {
			t.Errorf("before July 2025: %+v %v", old, err)
			continue
		}
		if up := s.Ancestors(old, "2025-06-30"); len(up) != 1 || up[0].Code != "quang-binh" {
			t.Errorf("%s lay in %v", want.Code, up)
		}
		if !s.Within(want.Code, "quang-tri") {
			t.Errorf("%s does not lie in Quảng Trị", want.Code)
		}
	}
	if _, ok := s.Area("DONG-HOI"); ok {
		t.Error("a code in another case is taken for the area of a device")
	}
}

// Each province has an outline of its day, and knows what is in it.
func TestShippedOutlines(t *testing.T) {
	s, _, _ := open(t)
	for code, p := range map[string]devices.Position{
		"quang-binh": {Lat: 17.47, Lon: 106.5}, "quang-tri": {Lat: 16.75, Lon: 107.0}, "quang-nam": {Lat: 15.6, Lon: 108.2}, "da-nang": {Lat: 16.03, Lon: 108.1},
		"ninh-thuan": {Lat: 11.7, Lon: 108.85}, "khanh-hoa": {Lat: 12.3, Lon: 109.0}, "hoa-binh": {Lat: 20.7, Lon: 105.3}, "vinh-phuc": {Lat: 21.35, Lon: 105.55}, "phu-tho": {Lat: 21.3, Lon: 105.15},
	} {
		old, ok := s.At(p, "2025-06-30")
		if !ok || old.Code != code || old.ValidTo != "2025-07-01" {
			t.Errorf("%v was in %+v, want %s", p, old, code)
			continue
		}
		next := s.Successors(old)
		if len(next) != 1 || next[0].Share != 1 || next[0].Kind != areas.Merged {
			t.Errorf("%s went to %+v", code, next)
			continue
		}
		if now, ok := s.At(p, "2025-07-01"); !ok || now.Code != next[0].Code || now.ValidFrom != "2025-07-01" {
			t.Errorf("%v is in %+v, want %s", p, now, next[0].Code)
		}
	}
}
