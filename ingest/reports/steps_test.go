package reports

import (
	"context"
	"errors"
	"testing"

	"haidang/devices"
)

// Every step from every state: it leads where it should, or is a conflict that
// leaves the report as it was.
func TestStepsFromEveryState(t *testing.T) {
	ctx := context.Background()
	s, log := service(t)
	a := Action{By: "op", Text: "vì sao", Agency: "ubnd-xa"}
	path := map[State][]string{Received: nil, Accepted: {"accept"}, Refused: {"refuse"}, Assigned: {"assign"}, Answered: {"assign", "answer"}}
	leads := map[State]map[string]State{
		Received: {"accept": Accepted, "refuse": Refused, "assign": Assigned},
		Accepted: {"refuse": Refused, "assign": Assigned, "answer": Answered},
		Assigned: {"assign": Assigned, "answer": Answered},
		Refused:  {"reopen": Accepted},
		Answered: {"reopen": Accepted},
	}
	for from, way := range path {
		for name := range steps {
			t.Run(string(from)+" "+name, func(t *testing.T) {
				sub := good()
				sub.ClientID = ""
				r, _, err := s.Submit(ctx, sub)
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range way {
					if r, err = s.Apply(ctx, r.Code, step, a); err != nil {
						t.Fatal(err)
					}
				}
				before, err := log.Last(ctx, Channel)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Apply(ctx, r.Code, name, a)
				if to, ok := leads[from][name]; ok {
					if err != nil || got.State != to || len(got.Timeline) != len(r.Timeline)+1 || (got.AnsweredAt != nil) != (to == Answered) {
						t.Errorf("%+v, %v; want %s", got, err, to)
					}
					return
				}
				if !errors.Is(err, devices.ErrConflict) {
					t.Errorf("%v, want a conflict", err)
				}
				now, _ := s.Get(ctx, r.Code)
				if after, _ := log.Last(ctx, Channel); now.State != from || len(now.Timeline) != len(r.Timeline) || after != before {
					t.Errorf("the refused step left its mark: %+v", now)
				}
			})
		}
	}
	if _, err := s.Apply(ctx, "QB-0000-0000", "accept", a); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("a step of no report: %v", err)
	}
	if _, err := s.Apply(ctx, "QB-0000-0000", "eat", a); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("no such step: %v", err)
	}
}
