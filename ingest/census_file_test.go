package ingest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"haidang/devices"
)

func heard(t *testing.T, p *Pipeline, now time.Time, ids ...devices.ID) {
	t.Helper()
	for _, id := range ids {
		w := &work{Message: Message{Source: "file", Format: &Format{Name: "stations"}}, elements: []element{{id: id, reading: &Reading{}}}}
		p.census.take([]part{{w, w.elements}}, []bool{true}, now)
	}
}

// A station that was dead before a restart is missed after it, for a week.
func TestSourcesKnowTheirDevicesAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sources.json")
	now := time.Now()
	stations := SourceID{"stations", "file"}
	p := NewPipeline(Options{Expect: []SourceID{stations}})
	if err := p.LoadSources(path); err != nil {
		t.Fatalf("before the first save: %v", err)
	}
	heard(t, p, now.AddDate(0, 0, -8), "long-gone")
	heard(t, p, now.AddDate(0, 0, -6), "dead")
	heard(t, p, now, "alive")
	if err := p.SaveSources(path, now); err != nil {
		t.Fatal(err)
	}
	p = NewPipeline(Options{Expect: []SourceID{stations}})
	if err := p.LoadSources(path); err != nil {
		t.Fatal(err)
	}
	heard(t, p, now, "alive", "new")
	of := func(now time.Time) []devices.ID {
		ids := p.Sources(now)[0].Devices
		slices.Sort(ids)
		return ids
	}
	if ids := of(now); !slices.Equal(ids, []devices.ID{"alive", "dead", "new"}) {
		t.Errorf("after a restart its devices are %v", ids)
	}
	if ids := of(now.AddDate(0, 0, 2)); !slices.Equal(ids, []devices.ID{"alive", "new"}) {
		t.Errorf("two days later its devices are %v", ids)
	}
	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.LoadSources(path); err == nil {
		t.Error("a broken file is no error")
	}
}
