package areas_test

import (
	"strings"
	"testing"

	"haidang/devices/areas"
)

func TestSearchWithoutAccents(t *testing.T) {
	s, _, _ := open(t)
	for _, c := range []struct {
		day, query, want string // want: code=version that had the name
	}{
		{"2026-01-01", "dong hoi", "dong-hoi"},
		{"2026-01-01", "ĐỒNG HỚI", "dong-hoi"},
		{"2026-01-01", "Ðồng", "dong-hoi"},
		{"2026-01-01", "  le thuy ", "le-thuy"},
		{"2026-01-01", "huyện Núi Thành", "da-nang=nui-thanh"},
		{"2026-01-01", "huyen nui thanh", "da-nang=nui-thanh"},
		{"2025-06-30", "nui thanh", "nui-thanh"},
		{"2026-01-01", "tinh quang nam", "da-nang=quang-nam"},
		{"2026-01-01", "tỉnh Hòa Bình", "phu-tho=hoa-binh"},
		{"2026-01-01", "huyện Lệ Thủy", "le-thuy=le-thuy"},
		{"2026-01-01", "đặc khu", "con-co hoang-sa ly-son truong-sa"},
		{"2025-06-30", "dac khu truong sa", "khanh-hoa=truong-sa@2025-07-01 ninh-thuan=truong-sa@2025-07-01"},
		{"2026-01-01", "Phuket", ""},
	} {
		found, next := s.List(areas.Filter{Day: areas.Day(c.day), Query: c.query})
		var got []string
		for _, f := range found {
			word := f.Code
			if f.Was != nil {
				word += "=" + f.Was.Ref().String()
			}
			if !f.On(areas.Day(c.day)) {
				t.Errorf("%q on %s gave %s, which is not there", c.query, c.day, f.Ref())
			}
			got = append(got, word)
		}
		if strings.Join(got, " ") != c.want || next != "" {
			t.Errorf("%q on %s: %v, want %s", c.query, c.day, got, c.want)
		}
	}
}

func TestListNarrowsAndPages(t *testing.T) {
	s, _, _ := open(t)
	one, _ := s.List(areas.Filter{Day: "2026-01-01", Parent: "QUANG-TRI", Type: areas.Operational})
	if len(one) != 8 {
		t.Errorf("%d areas of operation in Quảng Trị", len(one))
	}
	tops, _ := s.List(areas.Filter{Day: "2026-01-01", Top: true})
	if len(tops) != 5 {
		t.Errorf("%d areas lie in no other", len(tops))
	}
	all, _ := s.List(areas.Filter{Day: "2026-01-01"})
	var paged []string
	f := areas.Filter{Day: "2026-01-01", Limit: 3}
	for {
		items, next := s.List(f)
		for _, i := range items {
			paged = append(paged, i.Code)
		}
		if f.After = next; next == "" {
			break
		}
	}
	if len(paged) != len(all) || len(all) != len(s.Areas()) {
		t.Fatalf("%d in pages, %d at once, %d of today", len(paged), len(all), len(s.Areas()))
	}
	for i := range all {
		if paged[i] != all[i].Code {
			t.Errorf("pages give %v", paged)
		}
	}
}
