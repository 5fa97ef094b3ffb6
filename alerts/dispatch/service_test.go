package dispatch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb/statedbtest"
)

func open(t *testing.T) *Service {
	t.Helper()
	ctx := context.Background()
	db := statedbtest.Open(t)
	log, err := changelog.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(ctx, db, log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(lat, lon float64) (*float64, *float64) { return &lat, &lon }

func (s *Service) mustCreate(t *testing.T) *WorkOrder {
	t.Helper()
	w, err := s.Create(t.Context(), NewWorkOrder{Crew: "crew-1", Title: "Kiểm tra", By: "Lan"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestBadOrdersSayWhatIsWrong(t *testing.T) {
	s := open(t)
	lat, lon := at(109, 17)
	for name, c := range map[string]struct {
		n     NewWorkOrder
		field string
		says  string
	}{
		"no crew":   {NewWorkOrder{Crew: "x", Title: "a"}, "crew", "is no crew"},
		"no title":  {NewWorkOrder{Crew: "crew-1", Title: "  "}, "title", "what is to be done"},
		"long":      {NewWorkOrder{Crew: "crew-1", Title: strings.Repeat("a", 301)}, "title", "300"},
		"priority":  {NewWorkOrder{Crew: "crew-1", Title: "a", Priority: "high"}, "priority", "urgent"},
		"swapped":   {NewWorkOrder{Crew: "crew-1", Title: "a", Lat: lat, Lon: lon}, "lat", "swapped"},
		"half":      {NewWorkOrder{Crew: "crew-1", Title: "a", Lat: lon}, "lat", "belong together"},
		"elsewhere": {NewWorkOrder{Crew: "crew-1", Title: "a", Lat: lat, Lon: lat}, "lat", "no place on earth"},
	} {
		_, err := s.Create(t.Context(), c.n)
		f, ok := errors.AsType[*devices.FieldError](err)
		if !ok || f.Field != c.field || !strings.Contains(f.Reason, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACrewTakesAnOrderThroughItsSteps(t *testing.T) {
	s := open(t)
	w := s.mustCreate(t)
	done := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	for _, step := range []string{"resolve", "en-route", "on-scene"} {
		if _, err := s.Apply(t.Context(), w.ID, step, Action{Text: "x"}); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("%s before accept: %v", step, err)
		}
	}
	for _, step := range []string{"accept", "en-route", "on-scene", "resolve"} {
		var err error
		if w, err = s.Apply(t.Context(), w.ID, step, Action{By: "ĐH-1", Text: "Đã dọn xong", At: done}); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	if w.State != Resolved || len(w.Timeline) != 5 || !w.Timeline[4].At.Equal(done) || !w.Timeline[4].ReceivedAt.After(done) {
		t.Errorf("ended as %+v", w)
	}
	if _, err := s.Apply(t.Context(), w.ID, "cancel", Action{Text: "x"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("cancel after the end: %v", err)
	}
	if _, err := s.Apply(t.Context(), w.ID, "fly", Action{}); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("an unknown step: %v", err)
	}
	w = s.mustCreate(t)
	if _, err := s.Apply(t.Context(), w.ID, "decline", Action{}); err == nil {
		t.Error("declined without saying why")
	}
}

func TestSendingAgainAddsNothing(t *testing.T) {
	s := open(t)
	w, other := s.mustCreate(t), s.mustCreate(t)
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			if got, err := s.Apply(context.Background(), w.ID, "accept", Action{ClientEventID: "e1"}); err != nil || got.State != Accepted {
				t.Errorf("accepted: %+v %v", got, err)
			}
			if _, err := s.Create(context.Background(), NewWorkOrder{Crew: "crew-2", Title: "Một", ClientID: "c1"}); err != nil {
				t.Errorf("created: %v", err)
			}
		})
	}
	g.Wait()
	w, _ = s.Get(t.Context(), w.ID)
	if len(w.Timeline) != 2 {
		t.Errorf("eight sendings made %d events", len(w.Timeline))
	}
	if ws, _, _ := s.List(t.Context(), Filter{Crew: "crew-2"}); len(ws) != 1 {
		t.Errorf("eight requests made %d orders", len(ws))
	}
	if _, err := s.Apply(t.Context(), other.ID, "accept", Action{ClientEventID: "e1"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("the same id on another order: %v", err)
	}
	if _, err := s.Apply(t.Context(), w.ID, "en-route", Action{ClientEventID: "e1"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("the same id for another step: %v", err)
	}
	if _, err := s.Apply(t.Context(), w.ID, "resolve", Action{ClientEventID: "e2", Text: "x"}); !errors.Is(err, devices.ErrConflict) {
		t.Fatalf("too early: %v", err)
	}
	if _, err := s.Apply(t.Context(), w.ID, "on-scene", Action{ClientEventID: "e2"}); err != nil {
		t.Errorf("a refused step used its id up: %v", err)
	}
}

func TestPositionFromAPhoneThatIsAhead(t *testing.T) {
	s := open(t)
	now := time.Now()
	for _, p := range []struct {
		lat float64
		at  time.Time
	}{{17.1, now.Add(24 * time.Hour)}, {17.2, now.Add(time.Second)}, {17.3, now.Add(-time.Hour)}} {
		if err := s.SetPosition(t.Context(), "crew-1", devices.Position{Lat: p.lat, Lon: 106.6}, p.at); err != nil {
			t.Fatal(err)
		}
	}
	cs, err := s.Crews(t.Context())
	if err != nil || cs[0].Lat != 17.2 {
		t.Errorf("the crew is at %+v %v", cs[0], err)
	}
	if err := s.SetPosition(t.Context(), "crew-1", devices.Position{Lat: 106, Lon: 17}, now); err == nil {
		t.Error("a swapped position is taken")
	}
}

func TestListPages(t *testing.T) {
	s := open(t)
	for range 5 {
		s.mustCreate(t)
	}
	seen := map[string]bool{}
	for f := (Filter{Limit: 2}); ; {
		ws, next, err := s.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ws {
			seen[w.ID] = true
		}
		if f.Before = next; next == 0 {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("pages held %d of 5", len(seen))
	}
}
