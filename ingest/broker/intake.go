package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"haidang/ingest"
)

// NATS' own names: where a QoS 1 message goes on its way to a stream, the
// stream, and the header with the QoS.
const (
	storePrefix = "$MQTT.msgs."
	storeStream = "$MQTT_msgs"
	qosHeader   = "Nmqtt-Pub"
)

// kept are the topics on which the server speaks to devices and to others:
// JetStream keeps them for sessions that are away.
var kept = []string{
	storePrefix + "ioc.v1.devices.*.config", storePrefix + "ioc.v1.devices.*.commands.>",
	storePrefix + "ioc.v1.devices.*.errors", storePrefix + "ioc.v1.live.>",
}

// storeConfig is the stream of what is kept. In an open broker anybody may
// subscribe to anything with a QoS, and NATS serves that from the stream; once
// somebody does, it is wide: it sees all and keeps what is waited for. It does
// not answer then, we do.
func storeConfig(wide bool) jetstream.StreamConfig {
	c := jetstream.StreamConfig{Name: storeStream, Subjects: kept, Retention: jetstream.InterestPolicy, Storage: jetstream.FileStorage}
	if wide {
		c.Subjects, c.NoAck = []string{storePrefix + ">"}, true
	}
	return c
}

// isKept says whether a topic is among them.
func isKept(topic string) bool {
	rest, ok := strings.CutPrefix(topic, ingest.DeviceRoot)
	if !ok {
		return strings.HasPrefix(topic, ingest.TopicRoot+"live/")
	}
	_, leaf, _ := strings.Cut(rest, "/")
	return leaf == "config" || leaf == "errors" || strings.HasPrefix(leaf, "commands/")
}

// answer is what JetStream says when it has stored a message.
var answer = []byte(`{"stream":"haidang-journal","seq":1}`)

// Bounds of what may wait between NATS and the pipeline. Beyond them a message
// is dropped unanswered: its device sends it again.
const (
	waitingMessages = 1 << 20
	waitingBytes    = 256 << 20
)

// intake takes what devices publish, in NATS' process and without MQTT.
type intake struct {
	b      *Broker
	conn   *nats.Conn
	js     jetstream.JetStream
	submit func(context.Context, ingest.Message) error
	wide   atomic.Bool
	ctx    context.Context // ends with Close
	end    context.CancelFunc
}

// openIntake makes JetStream keep only what is kept, and takes the rest.
func (b *Broker) openIntake() (*intake, error) {
	in := &intake{b: b, submit: b.opts.Submit}
	in.ctx, in.end = context.WithCancel(context.Background())
	var err error
	in.conn, err = nats.Connect("", nats.InProcessServer(b.srv), nats.UserInfo(InternalUser, b.secret), nats.Name(InternalUser),
		nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.opts.Log.Warn("messages wait in the broker; unanswered ones come again", "component", "broker", "error", err)
		}))
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded broker: %w", err)
	}
	ctx, cancel := context.WithTimeout(in.ctx, 15*time.Second)
	defer cancel()
	if err := in.openStore(ctx); err != nil {
		return nil, err
	}
	subjects := []string{"ioc.v1.devices.>", "ioc.v1.reports"}
	for _, f := range b.opts.Feeds {
		subjects = append(subjects, subjectsOf(f)...)
	}
	if err := in.listen(storePrefix+">", in.takeQoS1); err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if err := in.listen(s, in.takeQoS0); err != nil {
			return nil, err
		}
	}
	if b.opts.Provision != nil {
		for _, s := range []string{provisionAsk, storePrefix + provisionAsk} {
			if err := in.listen(s, in.provision); err != nil {
				return nil, err
			}
		}
	}
	return in, in.conn.Flush()
}

func (in *intake) listen(subject string, fn nats.MsgHandler) error {
	s, err := in.conn.Subscribe(subject, fn)
	if err == nil {
		err = s.SetPendingLimits(waitingMessages, waitingBytes)
	}
	if err != nil {
		return fmt.Errorf("listen in the embedded broker: %w", err)
	}
	return nil
}

// takeQoS1 hands a message over; the device is answered when the journal has it.
func (in *intake) takeQoS1(m *nats.Msg) {
	if m.Subject == storePrefix+provisionAsk && in.b.opts.Provision != nil {
		return // provision has it too, and time for it
	}
	topic := topicOf(m.Subject[len(storePrefix):])
	if isKept(topic) {
		if in.wide.Load() {
			_ = in.conn.Publish(m.Reply, answer)
		}
		return
	}
	// Submit waits while the queue is full, and fails only when we stop.
	_ = in.submit(in.ctx, ingest.Message{Source: "mqtt", Topic: topic, Payload: m.Data, ReceivedAt: time.Now(),
		Done: func(ingest.Outcome) { _ = in.conn.Publish(m.Reply, answer) }})
}

// takeQoS0 hands a message over that asks for no answer. Messages of QoS 1
// come by here too and are left out.
func (in *intake) takeQoS0(m *nats.Msg) {
	if m.Header.Get(qosHeader) != "0" {
		return
	}
	if topic := topicOf(m.Subject); !isKept(topic) {
		_ = in.submit(in.ctx, ingest.Message{Source: "mqtt", Topic: topic, Payload: m.Data, ReceivedAt: time.Now()})
	}
}

// openStore makes JetStream's stream for what is kept. One of an earlier
// version also holds readings: they are set aside for Adopt.
func (in *intake) openStore(ctx context.Context) (err error) {
	if in.js, err = jetstream.New(in.conn); err != nil {
		return err
	}
	st, err := in.js.Stream(ctx, storeStream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		_, err = in.js.CreateStream(ctx, storeConfig(false))
	case err == nil && heldReadings(st.CachedInfo().Config):
		in.b.old = &leftovers{in.js, st}
		err = in.b.old.setAside(ctx)
	case err == nil && st.CachedInfo().Config.NoAck: // sessions of others may wait
		in.wide.Store(true)
	}
	if err != nil {
		return fmt.Errorf("set up the embedded broker's store: %w", err)
	}
	if !in.b.opts.Open {
		return nil // devices may subscribe only to what is kept
	}
	return in.listen("$JS.EVENT.ADVISORY.CONSUMER.CREATED."+storeStream+".>", in.widen)
}

// widen lets the stream see all once somebody subscribes to more than is kept.
func (in *intake) widen(m *nats.Msg) {
	name := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	ctx, cancel := context.WithTimeout(in.ctx, 10*time.Second)
	defer cancel()
	c, err := in.js.PushConsumer(ctx, storeStream, name)
	if err != nil || isKept(topicOf(strings.TrimPrefix(c.CachedInfo().Config.FilterSubject, storePrefix))) || in.wide.Swap(true) {
		return
	}
	if _, err := in.js.UpdateStream(ctx, storeConfig(true)); err != nil && in.ctx.Err() == nil {
		in.b.opts.Log.Warn("a subscription with a QoS gets nothing", "component", "broker", "error", err)
	}
}
