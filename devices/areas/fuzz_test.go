package areas_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"haidang/devices/areas"
)

// holds says of any file: it has errors, all in words, and is not taken; or it
// is taken, changes nothing when it comes again, and no count is lost on any map.
func holds(t *testing.T, s *areas.Store, file []byte) {
	p, s := s.Try(file)
	for _, e := range p.Errors {
		if e.Reason == "" || e.Field == "" || e.Row < 0 {
			t.Errorf("an error without words: %+v", e)
		}
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
	if (p.Token == "") != (p.ErrorCount > 0) {
		t.Fatalf("%d errors, token %q", p.ErrorCount, p.Token)
	}
	if p.ErrorCount > 0 {
		return
	}
	if again := s.Preview(file); len(again.Added)+len(again.Changed)+len(again.Ended) > 0 || again.ErrorCount > 0 {
		t.Errorf("the same again: %+v", again)
	}
	counts := map[areas.Ref]float64{}
	for _, day := range []areas.Day{"", "2025-06-30", "2025-07-01", "2199-12-31"} {
		found, _ := s.List(areas.Filter{Day: day, Limit: 1000})
		for _, f := range found {
			counts[f.Ref()] = 1
			if f.Place() != nil && math.IsNaN(f.Place().Lat) {
				t.Errorf("%s lies nowhere", f.Ref())
			}
		}
	}
	for _, day := range []areas.Day{"1900-01-01", "2025-06-30", "2025-07-01", "2199-12-31"} {
		if got := total(s.Project(counts, day)); math.Abs(got-float64(len(counts))) > 1e-6 {
			t.Errorf("on %s %g of %d are left", day, got, len(counts))
		}
	}
}

func FuzzCSV(f *testing.F) {
	s, _, _ := open(f)
	for _, seed := range []string{"", table("a,A,Xã,quang-tri,2025-07-01,,"), table("a,A,Xã,,2025-07-01,,nui-thanh:0.5", "b,B,Xã,a,2025-07-01,,nui-thanh:0.5"),
		"mã;tên;loại\na;\"A;\n", "\uFEFFcode\tname\ttype\n", "code,name,type,lat,lon\na,A,Xã,17,106\n", table("a,A,Xã,b,,2020-01-01,", "b,B,Xã,,,2021-01-01,", "a,A,Xã,,2020-01-01,,a:1:split")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if strings.HasPrefix(strings.TrimSpace(string(file)), "{") {
			return
		}
		holds(t, s, file)
	})
}

func FuzzGeoJSON(f *testing.F) {
	s, _, _ := open(f)
	const ward = `"code":"a","name":"A","type":"Phường","valid_from":"2025-07-01"`
	for _, seed := range []string{"{", collection(), collection(feature(ward, "")), collection(feature(ward, box(106, 17, 107, 18))), unitedFile,
		collection(feature(ward+`,"predecessors":[{"code":"nui-thanh","share":1}]`, "")), collection(feature(`"code":44,"name":"A\u0301","type":"Xã"`, `[[[106,17],[107,18],[107,17],[106,18],[106,17]]]`)),
		collection(feature(ward, `[[[1e999,17],[107,18]]]`)), collection(`{"type":"Feature","properties":null,"geometry":{"type":"MultiPolygon","coordinates":[[[[]]]]}}`)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) { holds(t, s, file) })
}

// FuzzBorder keeps to the form of GeoJSON and varies what stands in it.
func FuzzBorder(f *testing.F) {
	s, _, _ := open(f)
	for _, seed := range [][2]string{{`"parent":"quang-tri"`, box(106, 17, 107, 18)}, {`"predecessors":"nui-thanh:1"`, `[[[106,17],[107,18],[107,17],[106,18],[106,17]]]`},
		{`"valid_to":"2026-01-01"`, `[[[106,17],[107,17],[107,18],[106,17]],[[106.1,17.1],[106.2,17.1],[106.2,17.2],[106.1,17.1]]]`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, property, coordinates string) {
		holds(t, s, []byte(collection(feature(`"code":"a","name":"A","type":"Xã","valid_from":"2025-07-01",`+property, coordinates))))
	})
}
