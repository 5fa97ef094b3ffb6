package firmwaresim

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	ackWait     = 30 * time.Second // after which a connection that acknowledges nothing is given up
	dialTimeout = 10 * time.Second
	farewell    = 2 * time.Second // what saying goodbye may cost
	firstRetry  = 500 * time.Millisecond
	lastRetry   = 20 * time.Second
)

// link is one device's connection: one goroutine that sends one message at a
// time, and sends it again on the next connection until it is acknowledged.
// Beside paho's goroutines it is the only one a device costs.
type link struct {
	device Device
	broker string
	log    *slog.Logger
	outbox *outbox
	cable  cable
	start  func()
	orders *orders
	qos    byte // with which it listens to the server

	mu    sync.Mutex
	away  time.Duration // it goes off line for so long when all is said; 0: it stays
	first []Message     // to be said on the next connection
}

// newLink makes the connection of device number i; retime changes how often it
// measures.
func newLink(i int, d Device, broker string, log *slog.Logger, qos byte, retime func(time.Duration) error) *link {
	l := &link{device: d, broker: broker, log: log, outbox: newOutbox(), qos: qos}
	word := func(leaf string, v any) Message {
		return Message{Kind: Publish, Device: i, ID: d.ID, Topic: d.Topic(leaf), Payload: encode(v)}
	}
	l.orders = &orders{device: d, retime: retime,
		say: func(leaf string, v any) { l.outbox.put(word(leaf, v)) },
		later: func(leaf string, v any) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.first = append(l.first, word(leaf, v))
		},
		leave: func(d time.Duration) {
			l.mu.Lock()
			l.away = d
			l.mu.Unlock()
			l.outbox.wake()
		}}
	return l
}

// put takes a message for the device and says false when there is no room.
func (l *link) put(m Message) bool {
	switch m.Kind {
	case Connect:
		l.start()
	case Drop:
		l.cable.pull()
	case Restore:
		l.cable.plug()
	default:
		return l.outbox.put(m)
	}
	return true
}

// run keeps the device connected until the context ends.
func (l *link) run(ctx context.Context) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(wait*2, lastRetry) {
		l.cable.plugged(ctx)
		begun := time.Now()
		if away := l.connection(ctx); away > 0 {
			pause(ctx, away)
			wait = firstRetry
			continue
		}
		if time.Since(begun) > time.Minute {
			wait = firstRetry
		}
		// Jitter keeps a fleet from coming back as one wave.
		pause(ctx, time.Duration((0.5+rand.Float64())*float64(wait)))
	}
}

// connection is the life of one connection. away is above 0 when the device
// went by itself, for so long.
func (l *link) connection(ctx context.Context) (away time.Duration) {
	lost := make(chan struct{})
	client := mqtt.NewClient(l.options(lost))
	if err := await(ctx, lost, client.Connect(), dialTimeout); err != nil {
		l.log.Debug("device cannot connect", "device", l.device.ID, "error", err)
		client.Disconnect(0)
		return 0
	}
	defer client.Disconnect(50)
	listen := client.SubscribeMultiple(map[string]byte{l.device.Topic("commands/+"): l.qos, l.device.Topic("config"): l.qos}, l.orders.hear)
	if err := await(ctx, lost, listen, ackWait); err != nil {
		l.log.Debug("device hears no commands", "device", l.device.ID, "error", err)
	}
	l.sayFirst()
	err := await(ctx, lost, l.says(client, "online"), ackWait)
	if err == nil {
		err = l.deliver(ctx, lost, client)
	}
	if ctx.Err() != nil || errors.Is(err, errLeaves) {
		// Switched off in order: whoever looks should not see it online.
		l.says(client, "offline").WaitTimeout(farewell)
		return l.leaves()
	}
	l.log.Debug("device lost its connection", "device", l.device.ID, "error", err)
	return 0
}

// sayFirst puts what waits for a new connection into the outbox.
func (l *link) sayFirst() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.first {
		l.outbox.put(m)
	}
	l.first = nil
}

// isLeaving says whether the device is to go when all is said; leaves begins it.
func (l *link) isLeaving() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away > 0
}

func (l *link) leaves() (away time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	away, l.away = l.away, 0
	return away
}

// deliver sends what the outbox gives until the connection or the context ends.
func (l *link) deliver(ctx context.Context, lost <-chan struct{}, client mqtt.Client) error {
	for {
		m, ok := l.outbox.first()
		if !ok && l.isLeaving() {
			return errLeaves
		}
		if !ok {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-lost:
				return errLost
			case <-l.outbox.filled:
			}
			continue
		}
		if err := await(ctx, lost, client.Publish(m.Topic, 1, false, m.Payload), ackWait); err != nil {
			return err
		}
		l.outbox.done()
	}
}

func (l *link) says(client mqtt.Client, state string) mqtt.Token {
	return client.Publish(l.device.Topic("state"), 1, true, state)
}

// options leave reconnecting to run: paho's own would hide a lost connection
// from the outbox, and its store would send what the outbox sends again.
func (l *link) options(lost chan struct{}) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().
		AddBroker(l.broker).
		SetClientID(l.device.ID).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetConnectTimeout(dialTimeout).
		SetWriteTimeout(dialTimeout).
		SetKeepAlive(2*time.Minute).
		SetWill(l.device.Topic("state"), "offline", 1, true).
		SetCustomOpenConnectionFn(l.cable.dial).
		SetConnectionLostHandler(func(mqtt.Client, error) { close(lost) })
}
