package mqtt_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/broker"
	"haidang/ingest/mqtt"
)

func startBroker(t *testing.T, dir, listen string, check func(devices.ID, string) bool) *broker.Broker {
	t.Helper()
	b, err := broker.Start(broker.Options{Listen: listen, Dir: dir, Open: check == nil, CheckSecret: check, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func startSource(t *testing.T, b *broker.Broker, submit func(context.Context, ingest.Message) error) *mqtt.Source {
	t.Helper()
	s := mqtt.New(mqtt.Options{URL: b.IngestURL(), ClientID: "haidang-ingest", Username: broker.InternalUser, Password: b.IngestPassword(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, submit)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func device(t *testing.T, b *broker.Broker, id, secret string) (paho.Client, error) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("dev-" + id).SetUsername(id).SetPassword(secret).SetConnectTimeout(3 * time.Second))
	tok := c.Connect()
	tok.Wait()
	return c, tok.Error()
}

func publish(t *testing.T, c paho.Client, topic, payload string) {
	t.Helper()
	if tok := c.Publish(topic, 1, false, payload); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatalf("publish: %v", tok.Error())
	}
}

func next(t *testing.T, got <-chan ingest.Message) ingest.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(20 * time.Second): // NATS sends again after ten
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// What was published but not acknowledged comes again after a restart of both
// the broker and ingest.
func TestUnacknowledgedMessagesComeAgain(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, dir, "127.0.0.1:0", nil)
	got := make(chan ingest.Message, 10)
	s := startSource(t, b, func(_ context.Context, m ingest.Message) error { got <- m; return nil })
	b.Ready()
	c, err := device(t, b, "a", "")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, c, "ioc/v1/devices/a/readings", "one")
	publish(t, c, "ioc/v1/devices/a/readings", "two")
	next(t, got).Done(ingest.Outcome{})
	next(t, got) // never acknowledged
	time.Sleep(100 * time.Millisecond)
	c.Disconnect(0)
	s.Stop()
	b.Close()

	b = startBroker(t, dir, "127.0.0.1:0", nil)
	defer b.Close()
	s = startSource(t, b, func(_ context.Context, m ingest.Message) error { got <- m; return nil })
	defer s.Stop()
	if m := next(t, got); string(m.Payload) != "two" {
		t.Errorf("came again: %q", m.Payload)
	}
	select {
	case m := <-got:
		t.Errorf("and also %q", m.Payload)
	case <-time.After(200 * time.Millisecond):
	}
}

func TestDeviceSpeaksOnlyAsItself(t *testing.T) {
	b := startBroker(t, t.TempDir(), "127.0.0.1:0", func(id devices.ID, s string) bool { return s == "secret-of-"+string(id) })
	defer b.Close()
	got := make(chan ingest.Message, 10)
	s := startSource(t, b, func(_ context.Context, m ingest.Message) error { m.Done(ingest.Outcome{}); got <- m; return nil })
	defer s.Stop()
	if _, err := device(t, b, "a", "secret-of-a"); err == nil {
		t.Error("a device was let in before ingest was ready")
	}
	b.Ready()
	if _, err := device(t, b, "a", "wrong"); err == nil {
		t.Error("a device was let in with a wrong secret")
	}
	c, err := device(t, b, "a", "secret-of-a")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(0)
	for _, forged := range []string{"ioc/v1/devices/b/readings", "ioc/v1/reports", "ioc/v1/live/alerts", "ioc/v1/devices/a/errors"} {
		c.Publish(forged, 1, false, "forged").WaitTimeout(200 * time.Millisecond)
	}
	told := make(chan []byte, 1)
	if tok := c.Subscribe("ioc/v1/devices/a/errors", 0, func(_ paho.Client, m paho.Message) { told <- m.Payload() }); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	publish(t, c, "ioc/v1/devices/a/readings", "own")
	if m := next(t, got); string(m.Payload) != "own" {
		t.Errorf("a forged message came through on %s", m.Topic)
	}
	s.Tell(ingest.DeadLetter{Device: "a", Code: "json_invalid", Message: "why", Topic: "ioc/v1/devices/a/readings"})
	select {
	case p := <-told:
		var n struct{ Code, Message, Topic string }
		if json.Unmarshal(p, &n) != nil || n.Code != "json_invalid" {
			t.Errorf("told %s", p)
		}
	case <-time.After(5 * time.Second):
		t.Error("the device was told nothing")
	}
}
