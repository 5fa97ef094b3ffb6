package firmwaresim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestFaults runs one camera with one fault that always strikes.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault Fault
		check func(t *testing.T, all []Message, good []reading)
	}{
		{Fault{Kind: FaultDuplicate}, func(t *testing.T, all []Message, good []reading) {
			seen := map[string]int{}
			for _, m := range all {
				if m.Kind == Publish {
					seen[string(m.Payload)]++
				}
			}
			for payload, n := range seen {
				if n != 2 {
					t.Fatalf("%s was sent %d times", payload, n)
				}
			}
		}},
		{Fault{Kind: FaultReorder}, func(t *testing.T, _ []Message, good []reading) {
			if good[0].Seq != 2 || good[1].Seq != 1 || good[2].Seq != 4 {
				t.Fatalf("sent in the order %d, %d, %d", good[0].Seq, good[1].Seq, good[2].Seq)
			}
		}},
		{Fault{Kind: FaultLate, For: time.Hour}, func(t *testing.T, all []Message, good []reading) {
			for _, m := range all {
				if m.Kind == Publish && m.At < time.Hour {
					t.Fatalf("something came at %s already", m.At)
				}
			}
			if at, _ := time.Parse(time.RFC3339, good[0].TS); at.Sub(newYear) > 3*time.Second {
				t.Fatalf("the late reading lost its fix time: %s", good[0].TS)
			}
		}},
		{Fault{Kind: FaultSkew, By: -7 * time.Hour}, func(t *testing.T, _ []Message, good []reading) {
			if at, _ := time.Parse(time.RFC3339, good[0].TS); newYear.Sub(at) < 6*time.Hour {
				t.Fatalf("the clock is right: %s", good[0].TS)
			}
		}},
		{Fault{Kind: FaultGarbage}, func(t *testing.T, all []Message, good []reading) {
			if published := count(all, Publish); len(good) > published/2 {
				t.Fatalf("%d of %d messages are fine", len(good), published)
			}
		}},
		{Fault{Kind: FaultBurst, Count: 50}, func(t *testing.T, all []Message, good []reading) {
			if n := len(good); n < 50*51 {
				t.Fatalf("%d readings", n)
			}
			ids := map[string]bool{}
			for _, r := range good {
				ids[r.TS+string(rune(r.Seq))] = true
			}
			if len(ids) != len(good) {
				t.Fatalf("%d readings have %d identities", len(good), len(ids))
			}
		}},
		{Fault{Kind: FaultDropout, For: 10*time.Minute + 20*time.Second, From: 5 * time.Minute}, func(t *testing.T, all []Message, good []reading) {
			drops, restores := count(all, Drop), count(all, Restore)
			if drops == 0 || drops-restores > 1 {
				t.Fatalf("%d drops, %d restores", drops, restores)
			}
			out := false
			for _, m := range all {
				switch m.Kind {
				case Drop:
					out = true
				case Restore:
					out = false
				case Publish:
					if out {
						t.Fatalf("said something at %s without a network", m.At)
					}
				}
			}
			for i, r := range good { // kept through each dropout, in order
				if r.Seq != int64(i+1) {
					t.Fatalf("reading %d has seq %d", i, r.Seq)
				}
			}
		}},
	} {
		t.Run(test.fault.Kind, func(t *testing.T) {
			s := load(t, DefaultScenario)
			test.fault.Probability = 1
			s.Groups, s.Citizens, s.Episodes, s.Faults = s.Groups[2:3], Citizens{}, nil, []Fault{test.fault}
			st := NewStream(s, StreamOptions{Devices: 1, Seed: 5, Start: newYear})
			var all []Message
			var good []reading
			for m := st.Next(); m.At < 2*time.Hour; m = st.Next() {
				var r reading
				if strings.HasSuffix(m.Topic, "/events") {
					continue
				}
				all = append(all, m)
				if json.Unmarshal(m.Payload, &r) == nil && len(r.Values) > 0 {
					good = append(good, r)
				}
			}
			test.check(t, all, good)
		})
	}
}

func count(all []Message, kind Kind) (n int) {
	for _, m := range all {
		if m.Kind == kind {
			n++
		}
	}
	return n
}
