package devices_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"haidang/devices"
)

// What ships is referred to by name from rules, simulator and screens.
func TestShippedCatalogue(t *testing.T) {
	r := openRegistry(t, filepath.Join(t.TempDir(), "state.db"))
	for id, headline := range map[devices.TypeID]string{"air_station": "pm25", "water_level": "level_m",
		"waste_water": "cod", "emission": "pm", "rain_gauge": "rain_mm", "reservoir": "level_m", "traffic_camera": "count", "fishing_vessel": "speed_kn", "vehicle": "speed_kmh", "crew_phone": "battery_pct", "generic": ""} {
		typ, ok := r.Type(id)
		if !ok {
			t.Errorf("no type %s", id)
			continue
		}
		if typ.Interval <= 0 || typ.NameVI == "" || typ.NameEN == "" || !typ.Shipped || typ.Edited || typ.Contract == "" {
			t.Errorf("type %+v", typ)
		}
		var headlines []string
		for _, m := range typ.Metrics {
			if m.Headline {
				headlines = append(headlines, m.Name)
			}
			if (m.Unit == "") != (m.Kind == devices.State) || m.NameVI == "" || m.NameEN == "" || m.Min >= m.Max {
				t.Errorf("metric %s of %s: %+v", m.Name, id, m)
			}
			if typ.Metric(m.Name) == nil {
				t.Errorf("metric %s of %s is not found by name", m.Name, id)
			}
		}
		if headline != "" && (len(headlines) != 1 || headlines[0] != headline) {
			t.Errorf("headline of %s: %v", id, headlines)
		}
	}
	if len(r.Types()) != 11 {
		t.Errorf("%d types", len(r.Types()))
	}
	// The circular's symbols, as the station format names them.
	for id, symbols := range map[devices.TypeID]string{
		"waste_water": "flow temp color ph tss cod nh4 tp tn toc cl",
		"emission":    "flow temp humidity pressure no no2 co so2 o2 h2s nh3 vhg pm",
		"air_station": "temp humidity pressure no no2 co so2 h2s nh3 o3 pm pm10 pm25",
	} {
		typ, _ := r.Type(id)
		for _, name := range strings.Fields(symbols) {
			if typ.Metric(name) == nil {
				t.Errorf("type %s has no %s", id, name)
			}
		}
	}
	for _, code := range []string{"dong-hoi", "ba-don", "quang-trach", "tuyen-hoa", "minh-hoa", "bo-trach", "quang-ninh", "le-thuy", "bien-quang-binh"} {
		a, ok := r.Area(code)
		if !ok || a.Name == "" || a.NameEN == "" || math.Abs(a.Centre.Lat-17.5) > 1 || math.Abs(a.Centre.Lon-106.5) > 1.5 {
			t.Errorf("area %s: %+v", code, a)
		}
	}
	seen := map[string]bool{}
	for _, a := range r.Agencies() {
		if seen[a.ID] || a.ID == "" || a.Name == "" || a.NameEN == "" {
			t.Errorf("agency %+v", a)
		}
		seen[a.ID] = true
	}
	for _, a := range r.Areas() {
		if !norm.NFC.IsNormalString(a.Name) {
			t.Errorf("%s is not in NFC", a.Name)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Tàu cá": "tau ca", "ĐỒNG HỚI": "dong hoi", "Ðồng Hới": "dong hoi", "đ": "d", "ð": "d",
		"Lệ Thu\u0309y": "le thuy", "BÐ 94555 TS": "bd 94555 ts", "PM₂.₅": "pm₂.₅", "": "",
	} {
		if got := devices.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Tàu cá", "Đ\u0300ồng", "İstanbul", "Lệ Thu\u0309y", "ﬁ Å", "0000000\xf5Ù"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := devices.Fold(s)
		if again := devices.Fold(folded); again != folded {
			t.Errorf("Fold(%q) = %q, and folded again %q", s, folded, again)
		}
		if composed := devices.Fold(norm.NFC.String(s)); composed != folded {
			t.Errorf("Fold(%q) = %q, of its composed form %q", s, folded, composed)
		}
	})
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"qb-air-01", "", "-a", "a/+", "tàu", "a\n", "A_b-9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := devices.ParseID(s)
		if err != nil {
			return
		}
		if _, err := devices.ParseID(id.Key()); err != nil || len(id) > 64 || len(id) == 0 {
			t.Errorf("%q is an id, its key is not: %v", s, err)
		}
		for _, c := range s {
			if c == '/' || c == '+' || c == '#' || c == '$' || c > 127 || c <= ' ' {
				t.Errorf("%q would break topics", s)
			}
		}
	})
}
