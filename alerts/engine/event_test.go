package engine

import (
	"context"
	"testing"
	"time"

	"haidang/alerts"
	"haidang/devices"
	"haidang/ingest"
)

const distressRule = `
- id: distress
  name: {vi: Tín hiệu cấp cứu, en: Distress signal}
  kind: event
  events: [distress, sos]
  quiet: 2h
  severity: critical
`

func event(dev devices.ID, typ string, at, received time.Time) ingest.Entry {
	return ingest.Entry{Event: &ingest.Event{Device: dev, Type: typ, FixTime: at, ReceivedAt: received, Severity: "critical",
		Position: &devices.Position{Lat: 17.5, Lon: 107 + at.Sub(t0).Hours()}}}
}

func (b *bench) tick(at time.Time) {
	b.t.Helper()
	if err := b.Tick(context.Background(), at); err != nil {
		b.t.Fatal(err)
	}
}

func TestDistressIsHeardUntilItIsQuiet(t *testing.T) {
	b := newBench(t, distressRule)
	hour := time.Hour
	b.take(event("v", "distress_test", t0, t0)) // no rule names it
	b.take(event("v", "distress", t0, t0))
	b.take(event("v", "distress", t0.Add(hour), t0.Add(hour)))
	b.restart()
	b.tick(t0.Add(hour + 119*time.Minute))
	b.want("distress open 0")
	if as, err := b.store.AllOpen(context.Background()); err != nil || as[0].Severity != alerts.Critical || *as[0].Lon != 108 || as[0].SummaryEN != "The device said distress at 22/11/2026 14:00" {
		t.Errorf("it is %+v, %v", as, err)
	}
	b.tick(t0.Add(hour + 121*time.Minute))
	b.want("distress closed 0-60")
	b.take(event("a", "sos", t0.Add(4*hour), t0.Add(5*hour))) // an hour under way, of a device of another type
	b.want("distress closed 0-60", "distress open 240")
}

func TestDistressOfLongAgoIsForReview(t *testing.T) {
	b := newBench(t, distressRule)
	now := t0.AddDate(0, 0, 3)
	b.take(event("v", "sos", t0, now))
	b.want("distress open 0 late")
	b.tick(now)
	b.want("distress closed 0-0 late")
	b.take(event("v", "sos", now, now))
	b.want("distress closed 0-0 late", "distress open 4320")
}
