package mqtt_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/mqtt"
)

// mosquitto 2.0 sends a kept session's whole queue at once, and numbers messages
// from 1 to 65,535 without looking which numbers wait for an answer: beyond that
// many an answer may be taken for another message's. Whoever answers in another
// order than that of arrival, as lanes do, would lose messages.
func TestAnswersAreNotTakenForOthers(t *testing.T) {
	const sent, late, early = 72_000, 4_000, 4_000
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{})
	var mu sync.Mutex
	var waiting []func(ingest.Outcome) // of those received in this session
	var order []uint32                 // and what they are
	kept := map[uint32]bool{}
	session := func() *mqtt.Source {
		waiting, order = nil, nil
		s := mqtt.New(mqtt.Options{URL: m.URL, ClientID: "ingest", Filters: []string{"ioc/v1/devices/#"}, Log: slog.New(slog.DiscardHandler)},
			func(_ context.Context, msg ingest.Message) error {
				mu.Lock()
				defer mu.Unlock()
				n := binary.BigEndian.Uint32(msg.Payload)
				if n < early { // each answer widens mosquitto's window by what it was
					kept[n] = true
					msg.Done(ingest.Outcome{Stored: 1})
					return nil
				}
				waiting, order = append(waiting, msg.Done), append(order, n)
				return nil
			})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := s.Start(ctx); err != nil {
			t.Log(err) // its queue comes before the answer to the subscription
		}
		return s
	}
	session().Stop()

	c := paho.NewClient(paho.NewClientOptions().AddBroker(m.URL).SetClientID("device"))
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	tokens := make(chan paho.Token, 1000)
	go func() {
		defer close(tokens)
		for i := range uint32(sent) {
			tokens <- c.Publish("ioc/v1/devices/a/readings", 1, false, binary.BigEndian.AppendUint32(nil, i))
		}
	}()
	for token := range tokens {
		if token.Wait() && token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	c.Disconnect(100)

	rest := func() int { // how many came, once no more do
		t.Helper()
		last, since := -1, time.Now()
		for time.Since(since) < 2*time.Second {
			mu.Lock()
			n := len(order)
			mu.Unlock()
			if n != last {
				last, since = n, time.Now()
			}
			time.Sleep(50 * time.Millisecond)
		}
		return last
	}
	answer := func(from int) {
		mu.Lock()
		defer mu.Unlock()
		for i := from; i < len(order); i++ {
			kept[order[i]] = true
			waiting[i](ingest.Outcome{Stored: 1})
		}
	}
	s := session()
	n := rest()
	t.Logf("%d of %d came before any was answered", n, sent)
	answer(max(0, n-late)) // the last of them first
	reached(t, m.URL, s)   // else the broker may hear of the end first
	s.Stop()

	s = session()
	defer s.Stop()
	for tries := 0; len(kept) < sent && tries < 5; tries++ {
		rest()
		answer(0)
		mu.Lock()
		waiting, order = nil, nil
		mu.Unlock()
	}
	if len(kept) < sent {
		t.Errorf("%d of %d messages were lost", sent-len(kept), sent)
	}
}

// reached returns when the broker has read all that s has sent it.
func reached(t *testing.T, url string, s *mqtt.Source) {
	t.Helper()
	heard := make(chan struct{}, 1)
	c := paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID("listener").SetDefaultPublishHandler(func(paho.Client, paho.Message) {
		select {
		case heard <- struct{}{}:
		default:
		}
	}))
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(100)
	if token := c.Subscribe("reached", 0, nil); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	s.Publish("reached", false, nil)
	select {
	case <-heard:
	case <-time.After(2 * time.Minute):
		t.Fatal("the broker does not read what it is sent")
	}
}
