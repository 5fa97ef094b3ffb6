package main

import (
	"strings"
	"testing"
)

// What tells a person goes for good, numbers stay as they are written, and what
// was masked is not masked again.
func TestPlatesOfEventsAreMasked(t *testing.T) {
	for in, want := range map[string]string{
		`{"plate":"73A-123.45","speed":71.50,"lane":2}`: `{"lane":2,"masked":1,"plate":"73•••••","speed":71.50}`,
		`{"note":"xe 73A-123.45"}`:                      `{"masked":1,"note":"xe 73•••••"}`,
		`{"speed":71.50}`:                               ``,
		`[]`:                                            ``,
		`{"a"`:                                          ``,
		``:                                              ``,
	} {
		got, changed := maskEvent([]byte(in), 0)
		if changed != (want != "") || changed && string(got) != want {
			t.Errorf("%s became %s (%v), want %s", in, got, changed, want)
		}
		if again, twice := maskEvent(got, 5); twice {
			t.Errorf("%s became %s", got, again)
		}
	}
	if got, _ := maskEvent([]byte(`{"plate":"73A-123.45"}`), 6); !strings.Contains(string(got), `"masked":7`) {
		t.Errorf("%s", got)
	}
}
