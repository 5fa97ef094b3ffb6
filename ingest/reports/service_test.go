package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"haidang/devices"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
	"haidang/ingest/media"
)

func service(t *testing.T) (*Service, *changelog.Log) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log, err := changelog.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	m, err := media.Open(filepath.Join(dir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(ctx, db, log, m, Options{Agencies: oneAgency{}, Prefix: "QB"})
	if err != nil {
		t.Fatal(err)
	}
	return s, log
}

// oneAgency knows the commune's committee alone.
type oneAgency struct{}

func (oneAgency) Agency(id string) (devices.Agency, bool) {
	return devices.Agency{ID: "ubnd-xa", Name: "UBND xã"}, id == "ubnd-xa"
}

func photo(t *testing.T, w, h int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func good() Submission {
	lat, lon := 17.47, 106.62
	return Submission{Category: "giao-thong", Description: "Ổ gà lớn trước trường học", Lat: &lat, Lon: &lon, Phone: "0912 345 678", Name: "Nguyễn Văn A", Channel: "web", ClientID: "c-1"}
}

func TestReportFromSubmissionToAnswer(t *testing.T) {
	ctx := context.Background()
	s, log := service(t)
	sub := good()
	sub.Photos = [][]byte{photo(t, 3000, 100)}
	r, created, err := s.Submit(ctx, sub)
	if err != nil || !created || r.State != Received || len(r.Photos) != 1 {
		t.Fatalf("submitted: %+v %v", r, err)
	}
	if again, created, err := s.Submit(ctx, good()); err != nil || created || again.Code != r.Code {
		t.Errorf("sent again: %v %v", again, err)
	}
	for _, st := range []struct {
		step string
		a    Action
		to   State
	}{{"accept", Action{By: "op"}, Accepted}, {"assign", Action{Agency: "ubnd-xa"}, Assigned}, {"answer", Action{Text: "Đã vá xong."}, Answered}} {
		if r, err = s.Apply(ctx, strings.ToLower(r.Code), st.step, st.a); err != nil || r.State != st.to {
			t.Fatalf("%s: %+v %v", st.step, r, err)
		}
	}
	if len(r.Timeline) != 4 || r.AnsweredAt == nil {
		t.Errorf("at the end: %+v", r)
	}
	if _, err := s.Apply(ctx, r.Code, "accept", Action{}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("a step out of order: %v", err)
	}
	cs, err := log.Since(ctx, Channel, 0, 10)
	if err != nil || len(cs) != 4 {
		t.Fatalf("changes: %d %v", len(cs), err)
	}
	for _, c := range cs {
		if bytes.Contains(c.JSON, []byte("345")) || bytes.Contains(c.JSON, []byte("Nguyễn")) {
			t.Errorf("the reporter is seen in %s", c.JSON)
		}
	}
	if n, oldest, err := s.Counts(ctx); err != nil || n[Answered] != 1 || oldest != nil {
		t.Errorf("counts: %v %v %v", n, oldest, err)
	}
}

func TestBadSubmissionsNameTheField(t *testing.T) {
	s, _ := service(t)
	for field, spoil := range map[string]func(*Submission){
		"category":    func(x *Submission) { x.Category = "ufo" },
		"description": func(x *Submission) { x.Description = " " },
		"lat":         func(x *Submission) { *x.Lat, *x.Lon = 106.6, 17.4 },
		"phone":       func(x *Submission) { x.Phone = "call me" },
		"address":     func(x *Submission) { x.Address = "a\x07b" },
		"photos[0]":   func(x *Submission) { x.Photos = [][]byte{[]byte("GIF89a not a photo")} },
		"photos":      func(x *Submission) { x.Photos = make([][]byte, 6) },
	} {
		sub := good()
		spoil(&sub)
		_, _, err := s.Submit(context.Background(), sub)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("bad %s: %v", field, err)
		}
	}
	r, _, err := s.Submit(context.Background(), good())
	if err != nil {
		t.Fatal(err)
	}
	for step, field := range map[string]string{"refuse": "text", "assign": "agency"} {
		_, err := s.Apply(context.Background(), r.Code, step, Action{})
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("%s without %s: %v", step, field, err)
		}
	}
}

func TestSameMQTTPayloadIsOneReport(t *testing.T) {
	s, log := service(t)
	sub := good()
	sub.ClientID = ""
	b, _ := json.Marshal(sub)
	for range 2 {
		if err := s.TakeMQTT(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := log.Last(context.Background(), Channel); n != 1 {
		t.Errorf("%d changes, want 1", n)
	}
}

// Who guesses the number of another's report is shown nothing of it, and what
// they say is kept; a draft that was changed after it had come is too, each once.
func TestNumberOfAnothersReportTellsNothing(t *testing.T) {
	s, _ := service(t)
	ctx := t.Context()
	first, _, err := s.Submit(ctx, good())
	if err != nil {
		t.Fatal(err)
	}
	sub := good()
	sub.Description, sub.Phone = "Đèn đường hỏng, gọi 0912 345 678", ""
	codes := map[string]bool{first.Code: true}
	for i := range 3 {
		r, created, err := s.Submit(ctx, sub)
		if err != nil || created != (i == 0) || r.PhoneMasked != "" || r.Code == first.Code {
			t.Fatalf("%d: %+v %v %v", i, r, created, err)
		}
		codes[r.Code] = true
	}
	if r, created, err := s.Submit(ctx, good()); err != nil || created || r.Code != first.Code || len(codes) != 2 {
		t.Errorf("the first again: %+v %v %v; %v", r, created, err, codes)
	}
}
