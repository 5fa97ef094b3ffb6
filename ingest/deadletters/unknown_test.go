package deadletters

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

func nobody(devices.ID) bool { return false }

func TestStrangersAreThoseWhoWait(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "dead.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t0 := time.UnixMilli(1_795_000_000_000).UTC()
	var letters []ingest.DeadLetter
	add := func(minute int, device, code, topic string) {
		letters = append(letters, ingest.DeadLetter{ReceivedAt: t0.Add(time.Duration(minute) * time.Minute), Source: "mqtt", Topic: topic, Device: devices.ID(device), Stage: ingest.StageIdentify, Code: code, Status: "new"})
	}
	for i := range 5 {
		add(i, fmt.Sprint("d-", i), "device_unknown", "t")
	}
	add(10, "D-0", "device_unknown", "newest")
	add(11, "d-1", "json_invalid", "t")
	add(12, "", "device_unknown", "t")
	if err := s.Add(ctx, letters); err != nil {
		t.Fatal(err)
	}
	all, total, err := s.Strangers(ctx, "", nobody, 2, 0)
	if err != nil || total != 5 || len(all) != 2 {
		t.Fatalf("%+v of %d, %v", all, total, err)
	}
	if x := all[0]; x.ID != "D-0" || !x.First.Equal(t0) || !x.Last.Equal(t0.Add(10*time.Minute)) || x.Letters != 2 || x.Topic != "newest" {
		t.Errorf("the newest is %+v", x)
	}
	if all[1].ID != "d-4" {
		t.Errorf("then %+v", all[1])
	}
	if rest, _, err := s.Strangers(ctx, "", nobody, 10, 2); err != nil || len(rest) != 3 || rest[0].ID != "d-3" {
		t.Errorf("then %+v, %v", rest, err)
	}
	for query, want := range map[string]int{"D-1": 1, "%": 0, "_": 0, "-": 5} {
		if _, n, err := s.Strangers(ctx, query, nobody, 10, 0); n != want || err != nil {
			t.Errorf("%q finds %d, want %d (%v)", query, n, want, err)
		}
	}
	known := func(id devices.ID) bool { return id.Key() == "d-0" || id.Key() == "d-3" }
	if some, n, err := s.Strangers(ctx, "", known, 1, 1); err != nil || n != 3 || len(some) != 1 || some[0].ID != "d-2" {
		t.Errorf("without those that are known: %+v of %d, %v", some, n, err)
	}
	// Who was set aside, or taken in, waits no longer.
	if _, err := s.Discard(ctx, Filter{Device: "d-0"}, t0); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkReplayed(ctx, letters[4].ID); err != nil {
		t.Fatal(err)
	}
	if _, n, err := s.Strangers(ctx, "", nobody, 10, 0); n != 3 || err != nil {
		t.Errorf("%d are left, %v", n, err)
	}
}
