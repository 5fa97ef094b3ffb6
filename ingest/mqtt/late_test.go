package mqtt_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"haidang/ingest"
	"haidang/ingest/mqtt"
)

// lateBroker is a broker that has kept the session: it sends its message, and
// answers a subscription only with what answer says, if anything. A real one does
// so when a long queue stands before the answer, but not at will.
func lateBroker(t *testing.T, message bool, answer []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for {
			p, err := packets.ReadPacket(c)
			if err != nil {
				return
			}
			switch p := p.(type) {
			case *packets.ConnectPacket:
				ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
				ack.SessionPresent = true
				err = ack.Write(c)
			case *packets.SubscribePacket:
				if answer != nil {
					ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
					ack.MessageID, ack.ReturnCodes = p.MessageID, answer
					err = ack.Write(c)
				}
				if message && err == nil {
					m := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
					m.Qos, m.MessageID, m.TopicName, m.Payload = 1, 1, "ioc/v1/devices/a/readings", []byte("{}")
					err = m.Write(c)
				}
			}
			if err != nil {
				return // the client went, with the end of the test
			}
		}
	}()
	return "tcp://" + l.Addr().String()
}

// Messages of a session that was kept are proof enough that messages come; an
// answer that refuses the subscription is not outdone by them.
func TestSessionThatFlowsIsConnected(t *testing.T) {
	for name, c := range map[string]struct {
		message bool
		answer  []byte
		want    bool
	}{
		"its messages come before the answer": {true, nil, true},
		"nothing comes":                       {false, nil, false},
		"answered":                            {false, []byte{1}, true},
		"refused":                             {true, []byte{0x80}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan struct{}, 1)
			s := mqtt.New(mqtt.Options{URL: lateBroker(t, c.message, c.answer), ClientID: "late", Filters: []string{"ioc/v1/devices/#"}, Log: slog.New(slog.DiscardHandler)},
				func(context.Context, ingest.Message) error {
					select {
					case came <- struct{}{}:
					default: // subscribed once more, and sent once more
					}
					return nil
				})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := s.Start(ctx)
			defer s.Stop()
			if c.message {
				<-came
			}
			if stands := len(c.answer) > 0 && c.answer[0] < 0x80; (err == nil) != stands {
				t.Errorf("it started with %v", err)
			}
			if got := s.Connected(); got != c.want {
				t.Errorf("it says it is connected: %t", got)
			}
		})
	}
}
