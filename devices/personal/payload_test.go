package personal

import (
	"testing"
	"unicode/utf16"
)

func TestPayloadsAreHiddenWhereTheyTell(t *testing.T) {
	for _, c := range []struct{ what, in, want string }{
		{"JSON", `{"type":"red_light","data":{"plate":"73A-123.45","lane":2}}`, `{"data":{"lane":2,"plate":"73•••••"},"type":"red_light"}`},
		{"JSON with Vietnamese names", `{"Chủ tàu":"Nguyễn Văn A","SĐT":"0912345678","bks":"73A12345"}`, `{"Chủ tàu":"N• V• A•","SĐT":"09••••••78","bks":"73•••••"}`},
		{"JSON with text", `{"note":"gọi\n0912345678"}`, `{"note":"gọi\n09••••••78"}`},
		{"JSON that tells nobody", ` {"values": {"pm25": 0.03125000, "n": 12345678901234567890}} `, ` {"values": {"pm25": 0.03125000, "n": 12345678901234567890}} `},
		{"cut JSON", `{"data":{"plate":"73A-1`, `{"data":{"plate":"•••••"`},
		{"cut after a number", `{"phone":912345678,"x":[`, `{"phone":"•••••","x":[`},
		{"cut JSON with text", `{"note":"a\n0912345678","x`, `{"note":"a\n 09••••••78","x`},
		{"form", "id=d1&phone=0912345678&plate=73A12345", "id=d1&phone=09••••••78&plate=73•••••"},
		{"XML", `<Item Name="Plate" Value="73A-123.45"/>`, `<Item Name="Plate" Value="73•••••"/>`},
		{"a file of a station", "PM25\t0.03125000\tµg/m3\t20261129010000\t00\n02-01-2026 15:04;0.912345678", "PM25\t0.03125000\tµg/m3\t20261129010000\t00\n02-01-2026 15:04;0.912345678"},
		{"bytes", "\x00\xff\x01abc", "\x00\xff\x01abc"},
		{"nothing", "", ""},
	} {
		if got := string(Payload([]byte(c.in))); got != c.want {
			t.Errorf("%s: %q became %q, want %q", c.what, c.in, got, c.want)
		}
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune("gọi 0912345678")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	if got := Payload(wide); len(got) != 0 {
		t.Errorf("UTF-16: %q", got)
	}
}
