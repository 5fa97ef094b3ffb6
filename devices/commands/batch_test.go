package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

func TestBulkCommandShowsItsProgressAndStops(t *testing.T) {
	b := newBench(t)
	var ds []devices.Device
	for i := range 250 {
		ds = append(ds, devices.Device{ID: devices.ID(fmt.Sprintf("cam-%03d", i)), Type: "traffic_camera"})
	}
	b.must(b.reg.Upsert(t.Context(), ds))
	for i := range 120 {
		b.online[ds[i].ID] = true
	}
	bulk, err := b.SendAll(t.Context(), Selection{Type: "traffic_camera"}, nil, Request{Name: "identify", Who: "Lan", Why: "kiểm kê"})
	b.must(err)
	for range 3 { // perTurn devices at a time
		b.turn(time.Now())
	}
	cs, next, err := b.List(t.Context(), Filter{Batch: bulk.ID, State: Sent, Limit: 100})
	b.must(err)
	if len(cs) != 100 || next == 0 {
		t.Fatalf("%d were sent, next %d", len(cs), next)
	}
	if rest, end, err := b.List(t.Context(), Filter{Batch: bulk.ID, State: Sent, Limit: 100, Before: next}); err != nil || len(rest) != 20 || end != 0 {
		t.Fatalf("the rest of them are %d (%v)", len(rest), err)
	}
	b.must(b.reply(cs[0], "succeeded", ""))
	b.must(b.reply(cs[1], "failed", ""))
	bulk, err = b.StopBatch(t.Context(), bulk.ID, "nhầm")
	b.must(err)
	if bulk.Total != 250 || bulk.Open != 118 || bulk.Counts[Stopped] != 130 || bulk.Counts[Sent] != 118 || bulk.Counts[Succeeded] != 1 || bulk.Counts[Failed] != 1 || bulk.StoppedAt == nil {
		t.Errorf("the bulk command is %+v", bulk)
	}
	b.Heard(ds[200].ID)
	b.turn(time.Now())
	if b.count() != 120 {
		t.Errorf("%d were sent", b.count())
	}
	again, err := b.StopBatch(t.Context(), bulk.ID, "")
	b.must(err)
	if !again.StoppedAt.Equal(*bulk.StoppedAt) {
		t.Error("stopping again changed it")
	}
	if es, err := b.audit.List(t.Context(), audit.Filter{Kind: "command_batch", ID: bulk.ID}); err != nil || len(es) != 2 {
		t.Errorf("the audit log has %+v (%v)", es, err)
	}
	b.must(b.Expire(t.Context(), Expiry{Before: time.Now().Add(-time.Hour)}, func(Gone) error { return nil }))
	if got, err := b.Batch(t.Context(), bulk.ID); err != nil || got.Counts[Stopped] != 130 {
		t.Errorf("after dropping what is older: %+v (%v)", got, err)
	}
	b.must(b.Expire(t.Context(), Expiry{Before: time.Now().Add(time.Hour)}, func(Gone) error { return nil }))
	if got, err := b.Batch(t.Context(), bulk.ID); err != nil || got.Counts[Stopped] != 0 || got.Open != 118 {
		t.Errorf("after dropping all that ended: %+v (%v)", got, err)
	}
	bs, _, err := b.Batches(t.Context(), 0, 10)
	if err != nil || len(bs) != 1 || bs[0].Open != 118 {
		t.Errorf("the list has %+v (%v)", bs, err)
	}
}

func TestBulkCommandIsForSomebody(t *testing.T) {
	b := newBench(t)
	for says, sel := range map[string]Selection{
		"say which devices": {},
		`"zz" is no device`: {Devices: []devices.ID{"a", "zz"}},
		"not both":          {Devices: []devices.ID{"a"}, Type: "air_station"},
		"no device matches": {Type: "fishing_vessel"},
	} {
		if _, err := b.SendAll(t.Context(), sel, nil, Request{Name: "x"}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want …%s…", sel, err, says)
		}
	}
	if _, err := b.reg.SetLife(t.Context(), "b", devices.Suspended, "đang sửa"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SendAll(t.Context(), Selection{Devices: []devices.ID{"b"}}, nil, Request{Name: "x"}); err == nil || !strings.Contains(err.Error(), "is suspended") {
		t.Errorf("one that is suspended: %v", err)
	}
	if d, _ := b.reg.Get("b"); d != nil {
		if _, err := b.Send(t.Context(), d, Request{Name: "x"}); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("one that is suspended: %v", err)
		}
	}
	bulk, err := b.SendAll(t.Context(), Selection{Devices: []devices.ID{"A", "a", "c"}}, nil, Request{Name: "x"})
	if err != nil || bulk.Total != 2 {
		t.Errorf("named twice: %+v (%v)", bulk, err)
	}
}

func TestConfigurationIsDesiredPublishedAndReported(t *testing.T) {
	b := newBench(t)
	d, _ := b.reg.Get("a")
	zero := int64(0)
	c, err := b.Configure(t.Context(), d, json.RawMessage(`{"interval_s":60}`), &zero, "Lan", "bão")
	b.must(err)
	if c.Version != 1 || c.Published || c.InSync {
		t.Errorf("at first %+v", c)
	}
	if _, err := b.Configure(t.Context(), d, json.RawMessage(`{}`), &zero, "Minh", ""); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("somebody was faster: %v", err)
	}
	for says, desired := range map[string]string{"JSON object": `7`, "at most": `{"x":"` + strings.Repeat("y", maxConfig) + `"}`} {
		if _, err := b.Configure(t.Context(), d, json.RawMessage(desired), nil, "Lan", ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20s: %v", desired, err)
		}
	}
	b.down = true
	if b.sendConfigs(t.Context()) == nil {
		t.Error("nothing is said of a broker that is away")
	}
	b.restart() // and it was killed meanwhile
	b.down = false
	b.must(b.sendConfigs(t.Context()))
	b.must(b.sendConfigs(t.Context()))
	if len(b.sent) != 1 || b.sent[0] != `a/config true {"version":1,"config":{"interval_s":60}}` {
		t.Errorf("sent %q", b.sent)
	}
	report := func(payload string) {
		t.Helper()
		refused, err := b.Take(t.Context(), []Answer{{"a", "config/reported", []byte(payload), time.Now()}})
		b.must(errors.Join(append(refused, err)...))
	}
	report(`{"version":1,"config":{"interval_s":60},"firmware":"1.4.0","more":true}`)
	c, err = b.Config(t.Context(), "a")
	b.must(err)
	if !c.InSync || !c.Published || c.Firmware != "1.4.0" || string(c.Reported) != `{"interval_s":60}` || b.Firmware("a") != "1.4.0" {
		t.Errorf("reported: %+v", c)
	}
	b.restart()
	b.must(b.sendConfigs(t.Context()))
	if len(b.sent) != 1 || b.Firmware("a") != "1.4.0" {
		t.Errorf("after a restart sent %q, firmware %q", b.sent, b.Firmware("a"))
	}
	_, err = b.Configure(t.Context(), d, json.RawMessage(`{"interval_s":1}`), nil, "Lan", "")
	b.must(err)
	report(`{"version":2,"error":"too often"}`)
	if c, err = b.Config(t.Context(), "a"); err != nil || c.InSync || c.Error != "too often" {
		t.Errorf("refused by the device: %+v (%v)", c, err)
	}
}
