package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/changelog"
	"haidang/devices/statedb"
)

// bench is a service with its real stores. The broker is a list: what a real
// one does is in the stories of cmd/haidang.
type bench struct {
	*Service
	t     *testing.T
	reg   *devices.Registry
	audit *audit.Log
	path  string

	mu     sync.Mutex
	down   bool
	online map[devices.ID]bool
	sent   []string // topic and payload
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "state.db"), online: map[devices.ID]bool{}}
	b.restart()
	b.must(b.reg.Upsert(t.Context(), []devices.Device{{ID: "a", Type: "air_station"}, {ID: "b", Type: "air_station"}, {ID: "c", Type: "water_level"}}))
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// restart opens all anew, as after a kill.
func (b *bench) restart() {
	b.t.Helper()
	ctx := context.Background()
	db, err := statedb.Open(b.path)
	b.must(err)
	b.t.Cleanup(func() { db.Close() })
	b.reg, err = devices.NewRegistry(ctx, db)
	b.must(err)
	b.audit, err = audit.Open(ctx, db)
	b.must(err)
	changes, err := changelog.Open(ctx, db)
	b.must(err)
	b.Service, err = New(ctx, Options{DB: db, Audit: b.audit, Changes: changes, Registry: b.reg, Log: slog.New(slog.DiscardHandler),
		Online: func(id devices.ID) bool { b.mu.Lock(); defer b.mu.Unlock(); return b.online[id] },
		Publish: func(_ context.Context, topic string, retained bool, payload []byte) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.down {
				return errors.New("the broker is away")
			}
			b.sent = append(b.sent, fmt.Sprintf("%s %t %s", strings.TrimPrefix(topic, topicRoot), retained, payload))
			return nil
		}})
	b.must(err)
}

func (b *bench) send(id devices.ID, name string) *Command {
	b.t.Helper()
	d, _ := b.reg.Get(id)
	c, err := b.Send(b.t.Context(), d, Request{Name: name, Who: "Lan", Why: "thử", Args: json.RawMessage(`{"x":1}`)})
	b.must(err)
	return c
}

// turn is a turn of Run at now.
func (b *bench) turn(now time.Time) {
	b.t.Helper()
	b.must(b.ageing(b.t.Context(), now))
	b.must(b.sendDue(b.t.Context(), now))
}

func (b *bench) state(c *Command) State {
	b.t.Helper()
	now, err := b.Get(b.t.Context(), c.Device, c.ID)
	b.must(err)
	return now.State
}

// reply takes one answer and returns why it was refused.
func (b *bench) reply(c *Command, status, more string) error {
	b.t.Helper()
	refused, err := b.Take(b.t.Context(), []Answer{{Device: c.Device, Leaf: "replies/" + c.Name, Payload: fmt.Appendf(nil, `{"id":%q,"status":%q%s}`, c.ID, status, more), At: time.Now()}})
	b.must(err)
	return refused[0]
}

func (b *bench) want(c *Command, s State) {
	b.t.Helper()
	if got := b.state(c); got != s {
		b.t.Errorf("the command is %s, want %s", got, s)
	}
}

func (b *bench) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent)
}

func TestCommandWaitsUntilItsDeviceIsHeard(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	b.turn(time.Now())
	b.want(c, Queued)
	b.Heard("b")
	b.turn(time.Now())
	b.want(c, Queued)
	b.restart()
	b.down = true
	b.Heard("a")
	if err := b.sendDue(t.Context(), time.Now()); err == nil {
		t.Error("nothing is said of a broker that is away")
	}
	b.want(c, Queued)
	b.down = false
	b.turn(time.Now())
	b.want(c, Sent)
	b.Heard("a")
	b.turn(time.Now())
	if b.count() != 1 || !strings.HasPrefix(b.sent[0], "a/commands/restart false {") || !strings.Contains(b.sent[0], c.ID) || !strings.Contains(b.sent[0], `"args":{"x":1}`) {
		t.Errorf("sent %q", b.sent)
	}
	b.must(b.reply(c, "delivered", ""))
	b.want(c, Delivered)
	b.must(b.reply(c, "succeeded", `,"message":"xong","result":{"up":1}`))
	b.must(b.reply(c, "delivered", "")) // out of order, and again
	b.must(b.reply(c, "failed", ""))
	got, err := b.Get(t.Context(), "a", c.ID)
	b.must(err)
	if got.State != Succeeded || got.Message != "xong" || string(got.Result) != `{"up":1}` || got.EndedAt == nil || got.Attempts != 1 || got.Who != "Lan" {
		t.Errorf("the command is %+v", got)
	}
	if es, err := b.audit.List(t.Context(), audit.Filter{ID: "a", Kind: "device", Action: "command"}); err != nil || len(es) != 1 || es[0].Action != "command.send" || es[0].Why != "thử" {
		t.Errorf("the audit log has %+v (%v)", es, err)
	}
}

func TestCommandToWhoIsOnlineGoesAtOnce(t *testing.T) {
	b := newBench(t)
	b.online["a"] = true
	c := b.send("a", "identify")
	b.turn(time.Now())
	b.want(c, Sent)
}

func TestUnansweredCommandIsSentAgainUnderItsID(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	now := time.Now()
	for n := 1; n <= maxAttempts; n++ {
		b.Heard("a")
		b.turn(now)
		b.want(c, Sent)
		if b.count() != n {
			t.Fatalf("sent %d times, want %d", b.count(), n)
		}
		now = time.Now().Add(61 * time.Second)
		b.turn(now)
		if n < maxAttempts {
			b.want(c, Queued)
			b.turn(now) // not before it is heard
			b.want(c, Queued)
		}
	}
	b.want(c, TimedOut)
	// It was done all the same.
	b.must(b.reply(c, "succeeded", ""))
	b.want(c, Succeeded)
	if len(b.open) != 0 {
		t.Errorf("after the end %v wait", b.open)
	}
}

func TestExpiredCommandIsNeverSent(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	late := c.ExpiresAt.Add(time.Millisecond)
	b.Heard("a")
	b.must(b.sendDue(t.Context(), late)) // the clock has not come by yet
	b.want(c, Queued)
	b.turn(late)
	b.want(c, Expired)
	b.Heard("a")
	b.turn(late)
	if b.count() != 0 {
		t.Errorf("sent %q", b.sent)
	}
}

// While this program was away no answer could come.
func TestWaitBeginsAnewAfterARestart(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	b.Heard("a")
	b.turn(time.Now())
	b.restart()
	b.began = time.Now().Add(time.Hour)
	b.turn(b.began.Add(59 * time.Second))
	b.want(c, Sent)
	b.turn(b.began.Add(61 * time.Second))
	b.want(c, Queued)
}

func TestBadCommandsSayWhy(t *testing.T) {
	b := newBench(t)
	d, _ := b.reg.Get("a")
	for says, r := range map[string]Request{
		"no name of a command": {Name: "Restart now"},
		"JSON object":          {Name: "x", Args: json.RawMessage(`[1]`)},
		"at most 4096 bytes":   {Name: "x", Args: json.RawMessage(`{"x":"` + strings.Repeat("y", 4096) + `"}`)},
		"30 days":              {Name: "x", Expires: 31 * 24 * time.Hour},
		"one day":              {Name: "x", Timeout: -1},
		"why":                  {Name: "x", Why: strings.Repeat("y", 1001)},
	} {
		_, err := b.Send(t.Context(), d, r)
		if _, field := errors.AsType[*devices.FieldError](err); !field || !strings.Contains(err.Error(), says) {
			t.Errorf("%+.80v: %v, want …%s…", r, err, says)
		}
	}
	for range maxOpen {
		b.send("a", "x")
	}
	if _, err := b.Send(t.Context(), d, Request{Name: "x"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("one too many: %v", err)
	}
}

func TestBadAnswersAreRefusedAloneAndSayWhy(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	good := Answer{Device: "a", Leaf: "replies/restart", Payload: fmt.Appendf(nil, `{"id":%q,"status":"succeeded"}`, c.ID), At: time.Now()}
	bad := []struct {
		device        devices.ID
		leaf, payload string
		says          string
	}{
		{"a", "replies/restart", `{`, "not the JSON"},
		{"a", "replies/restart", "{\"id\":\"\xff\"}", "UTF-8"},
		{"a", "replies/restart", `{"id":"none","status":"succeeded"}`, "was given no command"},
		{"b", "replies/restart", string(good.Payload), "device b was given no command"},
		{"a", "replies/identify", string(good.Payload), `no command "identify"`},
		{"a", "replies/restart", fmt.Sprintf(`{"id":%q,"status":"done"}`, c.ID), "delivered, succeeded or failed"},
		{"a", "replies/restart", `{"x":"` + strings.Repeat("y", maxAnswer) + `"}`, "at most"},
		{"a", "config/reported", `{"version":1}`, "up to version 0"},
		{"a", "config/reported", `7`, "not the JSON"},
	}
	var as []Answer
	for _, x := range bad {
		as = append(as, Answer{x.device, x.leaf, []byte(x.payload), time.Now()})
	}
	refused, err := b.Take(t.Context(), append(as, good))
	b.must(err)
	for i, x := range bad {
		if refused[i] == nil || !strings.Contains(refused[i].Error(), x.says) {
			t.Errorf("%.80s: %v, want …%s…", x.payload, refused[i], x.says)
		}
	}
	if refused[len(bad)] != nil {
		t.Errorf("the good one: %v", refused[len(bad)])
	}
	b.want(c, Succeeded)
}

func TestStoppedCommandIsNotSent(t *testing.T) {
	b := newBench(t)
	c := b.send("a", "restart")
	_, err := b.Stop(t.Context(), "a", c.ID)
	b.must(err)
	b.Heard("a")
	b.turn(time.Now())
	b.want(c, Stopped)
	if _, err := b.Stop(t.Context(), "a", c.ID); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("stopped again: %v", err)
	}
	if _, err := b.Stop(t.Context(), "b", c.ID); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("another device's: %v", err)
	}
	if b.count() != 0 {
		t.Errorf("sent %q", b.sent)
	}
}
