package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/ingest"
)

// What is old enough is masked once; the events stay as many as they were, also
// where they look alike afterwards; newer ones, held ones and vessels' are as
// they came; nothing of what was masked is in the file's runs any more.
func TestOldEventsAreMaskedAndStay(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	event := func(dev devices.ID, at time.Time, plate string) ingest.Entry {
		return ingest.Entry{Event: &ingest.Event{Device: dev, FixTime: at, ReceivedAt: at, Type: "red_light", Data: json.RawMessage(fmt.Sprintf(`{"plate":%q}`, plate))}}
	}
	for i := range 40 {
		at := t0.Add(-time.Duration(i) * aDay)
		appendAll(t, j, event("cam", at, fmt.Sprintf("73A-%05d", i)), event("cam", at, fmt.Sprintf("73A-9%04d", i)), event("Tàu-1", at, "73A-77777"))
		settle(t, j)
	}
	held := t0.Add(-35 * aDay).UnixMilli()
	x := Expiry{Before: func(devices.ID) time.Time { return t0.Add(-30 * aDay) }, Held: func(_ devices.ID, first, last int64) bool { return first <= held && held <= last }}
	mask := func(data json.RawMessage, n int) (json.RawMessage, bool) {
		if bytes.Contains(data, []byte("•")) {
			return data, false
		}
		return json.RawMessage(fmt.Sprintf(`{"plate":"73•","masked":%d}`, n)), true
	}
	var would, did int64
	for range 2 {
		did = 0
		if err := j.Join(t.Context(), t0.Add(aDay)); err != nil { // masked days are joined with nothing
			t.Fatal(err)
		}
		if err := j.WouldMask(t.Context(), x, mask, func(e Expired) { would += e.Entries }); err != nil {
			t.Fatal(err)
		}
		if err := j.Mask(t.Context(), x, mask, func(e Expired) error { did += e.Entries; return nil }); err != nil {
			t.Fatal(err)
		}
		if would != 16 { // days 31 to 39 but the one that is held, two each
			t.Fatalf("would mask %d, masked %d", would, did)
		}
	}
	if did != 0 {
		t.Errorf("%d were masked twice", did)
	}
	es, _, err := j.Events(t.Context(), ingest.ReadingsQuery{Device: "cam", To: t0.Add(aDay), Limit: 1000})
	if err != nil || len(es) != 80 {
		t.Fatalf("%d events, %v", len(es), err)
	}
	for _, e := range es {
		old := e.FixTime.Before(t0.Add(-30*aDay).Truncate(aDay)) && e.FixTime.UnixMilli() != held
		if strings.Contains(string(e.Data), "•") != old {
			t.Errorf("%s: %s", e.FixTime, e.Data)
		}
	}
	if faults, _ := verifyTracks(t, dir, j.TrackHeads()); len(faults) > 0 {
		t.Errorf("a vessel's events were touched: %v", faults)
	}
}
