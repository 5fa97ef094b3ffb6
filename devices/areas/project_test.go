package areas_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"haidang/devices"
	"haidang/devices/areas"
)

func ref(s string) areas.Ref { return areas.ParseRef(s) }

func total(counts map[areas.Ref]float64) (n float64) {
	for _, x := range counts {
		n += x
	}
	return n
}

// The same counts on the maps of 30 June and 1 July 2025 have the same total.
func TestTotalIsTheSameOnBothMaps(t *testing.T) {
	s, _, _ := open(t)
	counts := map[areas.Ref]float64{ref("dong-hoi"): 3, ref("le-thuy"): 5, ref("quang-binh"): 7, ref("quang-tri"): 11, ref("nui-thanh"): 13, ref("phu-tho"): 17,
		ref("dong-hoi@2025-07-01"): 19, ref("quang-tri@2025-07-01"): 23, ref("con-co@2025-07-01"): 29, ref("hoang-sa@2025-07-01"): 31, ref("nowhere"): 37, {}: 41}
	for day, want := range map[areas.Day]map[string]float64{
		"2025-06-30": {"dong-hoi": 22, "le-thuy": 5, "nui-thanh": 13, "quang-binh": 7 + 23.0/2 + 29.0/2, "quang-tri": 11 + 23.0/2 + 29.0/2,
			"quang-nam": 31.0 / 2, "da-nang": 31.0 / 2, "phu-tho": 17, "": 78},
		"2025-07-01": {"dong-hoi@2025-07-01": 22, "le-thuy@2025-07-01": 5, "quang-tri@2025-07-01": 7 + 11 + 23, "da-nang@2025-07-01": 13, "phu-tho@2025-07-01": 17,
			"con-co@2025-07-01": 29, "hoang-sa@2025-07-01": 31, "": 78},
	} {
		got := s.Project(counts, day)
		if math.Abs(total(got)-total(counts)) > 1e-9 {
			t.Errorf("on %s: total %g, want %g", day, total(got), total(counts))
		}
		if len(got) != len(want) {
			t.Errorf("on %s: %v, want %v", day, got, want)
		}
		for _, r := range slices.Sorted(maps.Keys(want)) {
			if math.Abs(got[ref(r)]-want[r]) > 1e-9 {
				t.Errorf("on %s: %q has %g, want %g", day, r, got[ref(r)], want[r])
			}
		}
	}
}

// Splits and merges over several years: shares multiply, forth and back.
func TestSharesMultiply(t *testing.T) {
	s, _, _ := open(t)
	apply(t, s, table(
		"a,A,Huyện,,,2020-01-01,",
		"b,B,Xã,,2020-01-01,2022-01-01,a:0.25", "c,C,Xã,,2020-01-01,2022-01-01,a:0.75",
		"c,C,Phường,,2022-01-01,,", // the same, of another type
		"d,D,Xã,c,2022-01-01,2023-01-01,b:0.5", "e,E,Xã,,2022-01-01,,b:0.5",
	)) // d ends without a successor, in c
	for day, want := range map[areas.Day]map[string]float64{
		"2019-01-01": {"a": 100}, "2021-01-01": {"b@2020-01-01": 25, "c@2020-01-01": 75},
		"2022-06-01": {"c@2022-01-01": 75, "d@2022-01-01": 12.5, "e@2022-01-01": 12.5},
		"2024-01-01": {"c@2022-01-01": 87.5, "e@2022-01-01": 12.5},
	} {
		got := s.Project(map[areas.Ref]float64{ref("a"): 100}, day)
		if len(got) != len(want) {
			t.Errorf("on %s: %v", day, got)
		}
		for r, n := range want {
			if math.Abs(got[ref(r)]-n) > 1e-9 {
				t.Errorf("on %s: %s has %g, want %g", day, r, got[ref(r)], n)
			}
		}
		if back := s.Project(got, "2019-01-01"); math.Abs(back[ref("a")]-100) > 1e-9 {
			t.Errorf("from %s and back: %v", day, back)
		}
	}
}

// A place says in which part of a merged area something was; without one it is
// shared out.
func TestPlaceDecidesWhereSharesDoNot(t *testing.T) {
	s, _, _ := open(t)
	dongHoi, dongHa := &devices.Position{Lat: 17.47, Lon: 106.5}, &devices.Position{Lat: 16.75, Lon: 107.0}
	ts := []areas.Tally{
		{Area: ref("quang-tri@2025-07-01"), Place: dongHoi, N: 5},
		{Area: ref("quang-tri@2025-07-01"), Place: dongHa, N: 3},
		{Area: ref("quang-tri@2025-07-01"), N: 2},
		{Area: ref("dong-hoi@2025-07-01"), Place: dongHa, N: 7}, // its area is surer than an outline
		{Place: dongHoi, N: 1},                                  // kept before there were borders
	}
	got := s.Count(ts, "2025-06-30")
	if want := map[areas.Ref]float64{ref("quang-binh"): 5 + 1 + 1, ref("quang-tri"): 3 + 1, ref("dong-hoi"): 7}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
