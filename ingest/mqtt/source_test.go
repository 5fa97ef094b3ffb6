package mqtt_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/mqtt"
)

func startSource(t *testing.T, url string, submit func(context.Context, ingest.Message) error) *mqtt.Source {
	t.Helper()
	s := mqtt.New(mqtt.Options{URL: url, ClientID: "haidang-ingest", Filters: append([]string{"plant/+/data"}, mqtt.Filters...), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, submit)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
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
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// What was published but not acknowledged comes again, after ingest and also
// after the broker began anew.
func TestUnacknowledgedMessagesComeAgain(t *testing.T) {
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{})
	got := make(chan ingest.Message, 10)
	take := func(_ context.Context, m ingest.Message) error { got <- m; return nil }
	s := startSource(t, m.URL, take)
	c := paho.NewClient(paho.NewClientOptions().AddBroker(m.URL).SetClientID("a").SetMaxReconnectInterval(100 * time.Millisecond))
	if tok := c.Connect(); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	publish(t, c, "ioc/v1/devices/a/readings", "one")
	publish(t, c, "plant/7/data", "two")
	next(t, got).Done(ingest.Outcome{})
	if m := next(t, got); m.Topic != "plant/7/data" || m.Source != "mqtt" || m.ReceivedAt.IsZero() { // never acknowledged
		t.Errorf("came as %+v", m)
	}
	time.Sleep(200 * time.Millisecond)
	c.Disconnect(0)
	s.Stop()

	s = startSource(t, m.URL, take)
	if m := next(t, got); string(m.Payload) != "two" {
		t.Errorf("came again: %q", m.Payload)
	}
	m.Stop()
	m.Start()
	again := next(t, got)
	if string(again.Payload) != "two" {
		t.Errorf("came again: %q", again.Payload)
	}
	again.Done(ingest.Outcome{})
	time.Sleep(200 * time.Millisecond)
	s.Stop()

	s = startSource(t, m.URL, take)
	defer s.Stop()
	select {
	case m := <-got:
		t.Errorf("and also %q", m.Payload)
	case <-time.After(300 * time.Millisecond):
	}
}
