package areas_test

import (
	"errors"
	"strings"
	"testing"

	"haidang/devices"
)

// Every kind of bad input is told at its row and field, in words, and nothing
// of the file is taken.
func TestBadFilesAreToldAtRowAndField(t *testing.T) {
	s, _, _ := open(t)
	const ward = `"code":"a","name":"A","type":"Phường"`
	for name, c := range map[string]struct {
		file  string
		row   int
		field string
		says  string
	}{
		"empty":                         {"", 0, "file", "empty"},
		"a column unknown":              {"code,name,type,colour\n", 1, "colour", "no column"},
		"a column missing":              {"code,name\n", 1, "type", "missing"},
		"a property missing":            {collection(feature(`"code":"a","name":"A"`, "")), 1, "type", "missing"},
		"binary":                        {"\x00\x01", 0, "file", "a character that is none"},
		"no JSON":                       {"{", 0, "file", "no JSON"},
		"no collection":                 {feature(ward, ""), 0, "type", "FeatureCollection"},
		"no feature":                    {collection(`{"type":"Point"}`), 1, "type", "no Feature"},
		"a nested property":             {collection(feature(`"code":"a","name":["A"],"type":"Xã"`, "")), 1, "name", "text"},
		"a code":                        {table("a b,A,Xã,,,,"), 2, "code", "no code"},
		"a code of the API":             {table("import,A,Xã,,,,"), 2, "code", "cannot"},
		"no name":                       {table("a,,Xã,,,,"), 2, "name", "needs a name"},
		"a type":                        {table("a,A,khu phố,,,,"), 2, "type", "no type"},
		"a day":                         {table("a,A,Xã,,31/02/2025,,"), 2, "valid_from", "no day"},
		"ends first":                    {table("a,A,Xã,,2025-07-01,2025-07-01,"), 2, "valid_to", "before it begins"},
		"twice in the file":             {table("a,A,Xã,,2025-07-01,,", "a,B,Xã,,1/7/2025,,"), 3, "code", "row 2"},
		"overlapping validity":          {table("a,A,Xã,,2025-07-01,,", "a,B,Phường,,2026-09-20,,"), 3, "valid_from", "overlaps; end that version on 2026-09-20"},
		"overlapping one that is there": {table("dong-hoi,Đồng Hới,Phường,quang-tri,2026-01-01,,"), 2, "valid_from", "overlaps"},
		"codes that differ in case":     {table("QP-1,A,Xã,,2025-07-01,,", "qp-1,B,Xã,,2026-07-01,,"), 3, "code", "case or accents"},
		"codes that differ in Đ and Ð":  {table("Đ1,A,Xã,,2025-07-01,2026-07-01,", "Ð1,B,Xã,,2026-07-01,,"), 2, "code", "case or accents"},
		"an unknown parent":             {table("a,A,Xã,nowhere,2025-07-01,,"), 2, "parent", "no area"},
		"a parent not yet there":        {table("a,A,Xã,con-co,2025-01-01,,"), 2, "parent", "not valid on its first day"},
		"a parent that ends":            {table("a,A,Xã,quang-binh,2024-01-01,,"), 2, "parent", "ends on 2025-07-01"},
		"a parent that is ended":        {table("quang-tri,Quảng Trị,Tỉnh,,2025-07-01,2026-01-01,quang-binh|quang-tri"), 2, "parent", "ends on 2026-01-01"},
		"in itself":                     {table("a,A,Xã,a,2025-07-01,,"), 2, "parent", "in itself"},
		"a circle":                      {table("a,A,Xã,c,2025-07-01,,", "b,B,Xã,a,2025-07-01,,", "c,C,Xã,b,2025-07-01,,"), 2, "parent", "a in c in b in a"},
		"a circle by the calendar":      {table("a,A,Xã,,2025-07-01,2026-01-01,", "b,B,Xã,a,2025-07-01,,", "a,A,Xã,b,2026-01-01,,"), 4, "parent", "in itself"},
		"a predecessor unknown":         {table("a,A,Xã,,2025-07-01,,nowhere"), 2, "predecessors", "no area"},
		"a predecessor of another day":  {table("a,A,Xã,,2025-08-01,,quang-binh"), 2, "predecessors", "no version of quang-binh ends on 2025-08-01"},
		"a predecessor twice":           {table("a,A,Xã,,2025-07-01,,nui-thanh:0.5|nui-thanh:0.5"), 2, "predecessors", "twice"},
		"a predecessor without a day":   {table("a,A,Xã,,,,nui-thanh"), 2, "predecessors", "the day from which"},
		"a share of nothing":            {table("a,A,Xã,,2025-07-01,,nui-thanh:0"), 2, "predecessors", "above 0"},
		"a share in words":              {table("a,A,Xã,,2025-07-01,,nui-thanh:half"), 2, "predecessors", "no share"},
		"a share with a comma":          {strings.ReplaceAll(table("a;A;Xã;;2025-07-01;;nui-thanh:0,5"), ",name,type,parent,valid_from,valid_to,predecessors", ";name;type;parent;valid_from;valid_to;predecessors"), 2, "predecessors", "with a point"},
		"a kind of succession":          {table("a,A,Xã,,2025-07-01,,nui-thanh:1:eaten"), 2, "predecessors", "no kind"},
		"shares that do not add up":     {table("a,A,Xã,,2025-07-01,,nui-thanh:0.5", "b,B,Xã,,2025-07-01,,nui-thanh:0.4"), 2, "predecessors", "add up to 0.9, not to 1"},
		"a share too much":              {table("a,A,Xã,,2025-07-01,,quang-binh:0.1"), 2, "predecessors", "add up to 1.1"},
		"a centre":                      {"code,name,type,lat,lon\na,A,Xã,17°28',106\n", 2, "lat", "no latitude"},
		"a centre swapped":              {"code,name,type,lat,lon\na,A,Xã,106.6,17.4\n", 2, "lat", "swapped"},
		"half a centre":                 {"code,name,type,lat\na,A,Xã,17.4\n", 2, "lat", "no latitude"},
		"a self-intersecting polygon":   {collection(feature(ward, `[[[106,17],[107,18],[107,17],[106,18.1],[106,17]]]`)), 1, "geometry", "crosses itself"},
		"a bow tie":                     {collection(feature(ward, `[[[106,17],[107,18],[107,17],[106,18],[106,17]]]`)), 1, "geometry", "crosses itself"},
		"a border back and forth":       {collection(feature(ward, `[[[106,17],[107,18],[106.5,17.5],[106,17]]]`)), 1, "geometry", "encloses nothing"},
		"a hole across the border":      {collection(feature(ward, `[[[106,17],[107,17],[107,18],[106,18],[106,17]],[[106.5,17.5],[107.5,17.5],[107.5,17.6],[106.5,17.6],[106.5,17.5]]]`)), 1, "geometry", "crosses itself"},
		"swapped axes":                  {collection(feature(ward, box(17, 106, 18, 107))), 1, "geometry", "look swapped"},
		"metres":                        {collection(feature(ward, box(564000, 1929000, 565000, 1930000))), 1, "geometry", "VN-2000"},
		"another country":               {collection(feature(ward, box(2, 48, 3, 49))), 1, "geometry", "not in Vietnam"},
		"a ring not closed":             {collection(feature(ward, `[[[106,17],[107,17],[107,18],[106,18]]]`)), 1, "geometry", "not closed"},
		"a ring too short":              {collection(feature(ward, `[[[106,17],[107,17],[106,17]]]`)), 1, "geometry", "at least 4"},
		"a ring around nothing":         {collection(feature(ward, `[[[106,17],[107,17],[106,17],[106,17]]]`)), 1, "geometry", "nothing"},
		"no ring":                       {collection(feature(ward, `[]`)), 1, "geometry", "no ring"},
		"half a position":               {collection(feature(ward, `[[[106],[107,17],[107,18],[106]]]`)), 1, "geometry", "a longitude and a latitude"},
		"a point":                       {collection(`{"type":"Feature","properties":{` + ward + `},"geometry":{"type":"Point","coordinates":[106,17]}}`), 1, "geometry", "not a"},
		"coordinates of another type":   {collection(`{"type":"Feature","properties":{` + ward + `},"geometry":{"type":"MultiPolygon","coordinates":[[[106,17]]]}}`), 1, "geometry", "MultiPolygon"},
		"the second of two":             {collection(feature(ward, ""), feature(`"code":"b","name":"B","type":"Xã","parent":7`, "")), 2, "parent", "no area"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.Areas())
			p := s.Preview([]byte(c.file))
			if p.ErrorCount != len(p.Errors) || p.ErrorCount == 0 || p.Token != "" {
				t.Fatalf("%+v", p)
			}
			found := false
			for _, e := range p.Errors {
				found = found || e.Row == c.row && e.Field == c.field && strings.Contains(e.Reason, c.says)
			}
			if !found {
				t.Errorf("errors %+v, want row %d, %s: …%s…", p.Errors, c.row, c.field, c.says)
			}
			_, err := s.Apply(t.Context(), []byte(c.file), p.Token)
			if _, told := errors.AsType[*devices.FieldError](err); !told {
				t.Errorf("applied: %v", err)
			}
			if after := len(s.Areas()); after != before {
				t.Errorf("%d areas became %d", before, after)
			}
		})
	}
}
