package personal

import (
	"reflect"
	"testing"
)

func TestEachKindIsHidden(t *testing.T) {
	for _, c := range []struct {
		what     string
		hide     func(string) string
		in, want string
	}{
		{"phone", Phone, "0912345678", "09••••••78"},
		{"phone, abroad", Phone, "+84912345678", "+8••••••••78"},
		{"phone, too short to leave any", Phone, "113", "•••"},
		{"no phone", Phone, "", ""},
		{"plate", Plate, "30A-123.45", "30•••••"},
		{"army plate", Plate, "TM-12-34", "TM•••••"},
		{"plate, too short", Plate, "73A1", "•••••"},
		{"name", PersonName, "Nguyễn Thị Ánh", "N• T• Á•"},
		{"name of one word", PersonName, "Đức", "Đ•"},
		{"no name", PersonName, "  ", ""},
		{"address", Address, "Số 12/4A ngõ 7, đường Quang Trung, Đồng Hới", "Số ••/•A ngõ •, đường Quang Trung, Đồng Hới"},
		{"address without numbers", Address, "chợ Ba Đồn", "chợ Ba Đồn"},
		{"phone in text", Text, "Gọi tôi 0912 345 678 nhé", "Gọi tôi 09••••••78 nhé"},
		{"phone with 84", Text, "zalo +84 91 234 56 78.", "zalo +8••••••••78."},
		{"phone of a house", Text, "máy (0232) 3822 123", "máy 02•••••••23"},
		{"plate in text", Text, "xe 73A-123.45 vượt đèn đỏ", "xe 73••••• vượt đèn đỏ"},
		{"motorbike", Text, "xe máy 36B1-123.45 và 68PA 045.45", "xe máy 36••••• và 68•••••"},
		{"old plate", Text, "xe 73L-1234", "xe 73•••••"},
		{"plate without signs", Text, "30a12345 đỗ trên vỉa hè", "30••••• đỗ trên vỉa hè"},
		{"special", Text, "29LD-123.45, 30MĐ1-234.56", "29•••••, 30•••••"},
		{"diplomat", Text, "80-441-NG-02", "80•••••"},
		{"a day and an hour", Text, "từ 02-01-2026 15:04, 01.12.2026 08:30", "từ 02-01-2026 15:04, 01.12.2026 08:30"},
		{"neither", Text, "Ngày 22/11/2026 mưa 120 mm, quốc lộ 1, 3500 hộ, mức 17.468", "Ngày 22/11/2026 mưa 120 mm, quốc lộ 1, 3500 hộ, mức 17.468"},
	} {
		if got := c.hide(c.in); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.what, c.in, got, c.want)
		}
	}
	for in, want := range map[float64]float64{17.4683: 17.465, 106.6228: 106.625, -0.001: -0.005} {
		if got := Place(in); got != want {
			t.Errorf("place %g became %g, want %g", in, got, want)
		}
	}
}

func TestFieldsAreHiddenWhereverTheyStand(t *testing.T) {
	got := Fields(map[string]any{
		"Plate": "30A-123.45", "speed": 71.5, "note": "xe 30A-123.45",
		"vehicle": map[string]any{"owner_name": "Nguyễn Văn A", "colour": "đỏ", "drivers": []any{"Lê B"}},
		"list":    []any{map[string]any{"phone_number": "0912345678"}, "0912345678"},
		"cccd":    1234567890.0,
	})
	want := map[string]any{
		"Plate": "30•••••", "speed": 71.5, "note": "xe 30•••••",
		"vehicle": map[string]any{"owner_name": "N• V• A•", "colour": "đỏ", "drivers": "•••••"},
		"list":    []any{map[string]any{"phone_number": "09••••••78"}, "09••••••78"},
		"cccd":    "•••••",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}
