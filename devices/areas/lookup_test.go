package areas_test

import (
	"strconv"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/areas"
)

// unitedFile is a province with a ward, a special zone at sea and a sea area.
var unitedFile = collection(
	feature(`"code":"p","name":"P","type":"Tỉnh","valid_from":"2025-07-01"`, box(105, 9, 107, 11)),
	feature(`"code":"w","name":"W","type":"Phường","parent":"p","valid_from":"2025-07-01","valid_to":"2026-09-20"`, box(106, 10, 106.5, 10.5)),
	feature(`"code":"w","name":"W","type":"Phường","parent":"p","valid_from":"2026-09-20"`, box(106, 10, 106.25, 10.5)),
	feature(`"code":"hamlet","name":"H","type":"Địa bàn điều hành","parent":"w","valid_from":"2025-07-01"`, box(106.1, 10.1, 106.2, 10.2)),
	feature(`"code":"zone","name":"Z","type":"Đặc khu","parent":"sea","valid_from":"2025-07-01"`, box(111, 15.7, 112.7, 17.1)),
	feature(`"code":"sea","name":"S","type":"Vùng biển","valid_from":"2025-07-01"`, box(108, 10, 115, 20)))

func TestPlaceHasTheDeepestAreaOfItsDay(t *testing.T) {
	s, _, _ := open(t)
	apply(t, s, unitedFile)
	for name, c := range map[string]struct {
		lat, lon float64
		day      areas.Day
		want     string
	}{
		"province":                 {9.2, 105.2, "2026-01-01", "p@2025-07-01"},
		"ward":                     {10.4, 106.4, "2026-01-01", "w@2025-07-01"},
		"ward, the last day":       {10.4, 106.4, "2026-09-19", "w@2025-07-01"},
		"no longer the ward":       {10.4, 106.4, "2026-09-20", "p@2025-07-01"},
		"the ward's new border":    {10.4, 106.2, "2026-09-20", "w@2026-09-20"},
		"deepest":                  {10.15, 106.15, "2026-10-01", "hamlet@2025-07-01"},
		"sea":                      {12, 110, "2026-01-01", "sea@2025-07-01"},
		"special zone":             {16.5, 112, "2026-01-01", "zone@2025-07-01"},
		"the old map":              {17.47, 106.5, "2025-06-30", "quang-binh"},
		"the new map":              {17.47, 107.5, "2025-07-01", ""},
		"nowhere":                  {9, 101, "2026-01-01", ""},
		"no place on earth":        {1e300, -1e300, "2026-01-01", ""},
		"a day before all records": {17.47, 106.5, "1700-01-01", "quang-binh"},
	} {
		got := ""
		if v, ok := s.At(devices.Position{Lat: c.lat, Lon: c.lon}, c.day); ok {
			got = v.Ref().String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A thing's registered area counts where it is more exact than what the place
// says, and not where the thing is elsewhere.
func TestLocate(t *testing.T) {
	s, _, _ := open(t)
	apply(t, s, unitedFile)
	at := time.Date(2026, 9, 19, 17, 0, 0, 0, time.UTC) // the 20th in Vietnam
	inProvince, inWard := &devices.Position{Lat: 9.2, Lon: 105.2}, &devices.Position{Lat: 10.4, Lon: 106.2}
	for name, c := range map[string]struct {
		place *devices.Position
		code  string
		at    time.Time
		want  string
	}{
		"by place":             {inWard, "", at, "w@2026-09-20"},
		"by code":              {nil, "w", at, "w@2026-09-20"},
		"a second earlier":     {nil, "w", at.Add(-time.Second), "w@2025-07-01"},
		"registered deeper":    {inProvince, "w", at, "w@2026-09-20"},
		"deeper by place":      {inWard, "p", at, "w@2026-09-20"},
		"elsewhere":            {inWard, "sea", at, "w@2026-09-20"},
		"a place of no area":   {&devices.Position{Lat: 9, Lon: 101}, "w", at, "w@2026-09-20"},
		"neither":              {nil, "", at, ""},
		"a code not known":     {nil, "nowhere", at, ""},
		"a code not there yet": {nil, "w", at.AddDate(-5, 0, 0), ""},
	} {
		ref, known := s.Locate(c.place, c.code, c.at)
		if ref.String() != c.want || known != (c.want != "") || areas.ParseRef(c.want) != ref {
			t.Errorf("%s: %q %v, want %q", name, ref, known, c.want)
		}
	}
}

// A code that did not count on a day stands for where it went whole, or came
// from; where that is not one area, for nothing.
func TestCodesOfAnotherDayAreTraced(t *testing.T) {
	s, _, _ := open(t)
	june, july := time.Date(2025, 6, 30, 16, 59, 59, 0, time.UTC), time.Date(2025, 6, 30, 17, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		code string
		at   time.Time
		want string
	}{
		{"quang-binh", june, "quang-binh"}, {"quang-binh", july, "quang-tri@2025-07-01"}, // merged
		{"nui-thanh", june, "nui-thanh"}, {"nui-thanh", july, "da-nang@2025-07-01"}, // ended; its province was merged
		{"con-co", july, "con-co@2025-07-01"}, {"con-co", june, ""}, // made of one of two
		{"dong-hoi", june, "dong-hoi"}, {"dong-hoi", july, "dong-hoi@2025-07-01"},
	} {
		ref, known := s.Locate(nil, c.code, c.at)
		if ref.String() != c.want || known != (c.want != "") {
			t.Errorf("%s at %s: %q %v, want %q", c.code, c.at, ref, known, c.want)
		}
	}
}

// What lies in what is asked often, and remembered; a new map is a new answer.
func TestWithinFollowsTheMap(t *testing.T) {
	s, _, _ := open(t)
	for range 2 {
		for _, c := range []struct {
			code, in string
			want     bool
		}{
			{"dong-hoi", "quang-tri", true}, {"dong-hoi", "da-nang", false}, {"dong-hoi", "dong-hoi", true}, {"DONG-HOI", "quang-tri", true},
			{"nui-thanh", "da-nang", true}, {"nui-thanh", "quang-tri", false}, {"hamlet-x", "quang-tri", false}, {"nowhere", "nowhere", true}, {"", "quang-tri", false},
		} {
			if got := s.Within(c.code, c.in); got != c.want {
				t.Errorf("%q lies in %q: %v", c.code, c.in, got)
			}
		}
	}
	apply(t, s, table("hamlet-x,Địa bàn X,operational,dong-hoi,2025-07-01,,"))
	if !s.Within("hamlet-x", "quang-tri") {
		t.Error("what an import brought lies nowhere")
	}
}

func BenchmarkWithin(b *testing.B) {
	s, _, _ := open(b)
	for _, code := range []string{"dong-hoi", "nui-thanh"} { // nui-thanh has ended
		b.Run(code, func(b *testing.B) {
			for b.Loop() {
				s.Within(code, "quang-tri")
			}
		})
	}
}

func TestTreeOfADay(t *testing.T) {
	s, _, _ := open(t)
	apply(t, s, unitedFile)
	hamlet, err := s.Get("hamlet", "2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	if up := s.Ancestors(hamlet, "2026-10-01"); len(up) != 2 || up[0].Ref().String() != "w@2026-09-20" || up[1].Code != "p" {
		t.Errorf("ancestors %v", up)
	}
	if down := s.Children("p", "2026-10-01"); len(down) != 1 || down[0].ValidFrom != "2026-09-20" {
		t.Errorf("children %v", down)
	}
	for pair, want := range map[[2]string]bool{{"hamlet", "p"}: true, {"hamlet", "hamlet"}: true, {"p", "hamlet"}: false, {"zone", "p"}: false, {"zone", "sea"}: true, {"nowhere", "p"}: false} {
		if got := s.Within(pair[0], pair[1]); got != want {
			t.Errorf("%s within %s: %v", pair[0], pair[1], got)
		}
	}
}

func BenchmarkAt(b *testing.B) {
	s, _, _ := open(b)
	var features []string
	features = append(features, feature(`"code":"n","name":"N","type":"Tỉnh","valid_from":"2025-07-01"`, box(102, 8, 110, 24)))
	for i := range 3400 {
		w, south := 102+float64(i%80)*0.1, 8+float64(i/80)*0.35
		features = append(features, feature(`"code":"u`+strconv.Itoa(i)+`","name":"U","type":"Xã","parent":"n","valid_from":"2025-07-01"`, box(w, south, w+0.1, south+0.35)))
	}
	apply(b, s, collection(features...))
	for i := 0; b.Loop(); i++ {
		if v, ok := s.At(devices.Position{Lat: 9 + float64(i%1000)*0.012, Lon: 102.05 + float64(i%77)*0.1}, "2026-01-01"); !ok || v.Code == "n" {
			b.Fatal("not found")
		}
	}
}
