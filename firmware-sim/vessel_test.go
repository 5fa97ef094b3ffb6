package firmwaresim

import (
	"testing"
	"time"
)

// TestVesselsStayAtSea follows every vessel of a large fleet for a week.
func TestVesselsStayAtSea(t *testing.T) {
	s := load(t, DefaultScenario)
	st := NewStream(s, StreamOptions{Devices: 400, Seed: 11, Start: newYear})
	moored, under := 0, 0
	for _, u := range st.units {
		if !u.Mobile() {
			continue
		}
		var before position
		for now := newYear; now.Before(newYear.AddDate(0, 0, 7)); now = now.Add(10 * time.Minute) {
			at := *u.model.sample(now, u.rand).at
			if at.lat < seaSouth || at.lat > seaNorth || at.lon > seaEast || at.lon < seaWest || at.lon < shore(at.lat)-1e-5 {
				t.Fatalf("%s at %s is on land or out of the area: %+v, shore %.4f", u.ID, now, at, shore(at.lat))
			}
			if before != (position{}) {
				if knots := distance(before, at) * 6; knots > 13 {
					t.Fatalf("%s makes %.1f kn at %s", u.ID, knots, now)
				}
			}
			if at == before {
				moored++
			} else {
				under++
			}
			before = at
		}
	}
	if moored == 0 || under < moored {
		t.Fatalf("%d samples moored, %d under way: most of a fleet is at sea", moored, under)
	}
}
