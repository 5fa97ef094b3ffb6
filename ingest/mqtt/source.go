// Package mqtt is the paho client through which the server speaks to a broker.
// From an outside broker messages come in by it too: a persistent session under
// a stable client id, QoS 1, acknowledged by hand after the journal's commit,
// subscribed anew on every connect.
package mqtt

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/time/rate"

	"haidang/devices"
	"haidang/ingest"
)

// Options say where and how to connect.
type Options struct {
	URL      string // tcp://, ssl:// or ws:// broker address
	ClientID string // must stay the same, or the broker's queue is lost
	Username string
	Password string
	// Filters are what is subscribed to; none: nothing comes in this way.
	Filters []string
	// Shared says that devices that have nothing to do with each other come
	// this way; see ingest.Message.
	Shared bool
	Log    *slog.Logger
}

// Filters are what comes in our own form: all that devices say, and reports.
var Filters = []string{ingest.DeviceRoot + "#", ingest.ReportsTopic}

// Source is the connection to the broker.
type Source struct {
	opts   Options
	client paho.Client
	submit func(context.Context, ingest.Message) error
	ctx    context.Context // the source's life: ends with Stop
	end    context.CancelFunc
	stands atomic.Int32 // what of standing is true of the connection
	// numbers are the connection's. Those of the one before are not answered by
	// it, and so are not taken in it.
	numbers atomic.Pointer[numbers]

	tellMu sync.Mutex
	tell   map[devices.ID]*rate.Limiter
}

// standing is how far a connection has come.
type standing = int32

const (
	unheard standing = iota
	// flowing: the broker kept the session, and its messages come. The answer to
	// the subscription may stand behind all that waited: mosquitto 2.0 sends a
	// session's whole queue, whatever its in-flight window.
	flowing
	refused
	subscribed
)

// New prepares a connection that hands messages to submit.
func New(o Options, submit func(context.Context, ingest.Message) error) *Source {
	s := &Source{opts: o, submit: submit, tell: map[devices.ID]*rate.Limiter{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	po := paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).
		SetCleanSession(false).SetResumeSubs(false).
		SetAutoAckDisabled(true).SetOrderMatters(true).
		SetAutoReconnect(true).SetMaxReconnectInterval(5 * time.Second).
		SetConnectRetry(true).SetConnectRetryInterval(time.Second).
		SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).SetWriteTimeout(30 * time.Second).
		SetDefaultPublishHandler(s.handle). // before the subscription is answered, queued messages already come
		SetConnectionAttemptHandler(s.renumber).
		SetOnConnectHandler(s.subscribe).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			s.stands.Store(unheard)
			o.Log.Warn("connection to the broker was lost; connecting again", "component", "ingest.mqtt", "error", err)
		})
	po.SetStore(NewStore())
	if !isWebsocket(o.URL) {
		po.SetCustomOpenConnectionFn(dial)
	}
	s.client = paho.NewClient(po)
	return s
}

// renumber gives a new connection identifiers of its own; the handler of the last
// has ended. A broker may be away for days, and each try comes here: what was for
// a connection that is over must not be held until the source ends.
func (s *Source) renumber(_ *url.URL, c *tls.Config) *tls.Config {
	if old := s.numbers.Swap(newNumbers(s.ctx)); old != nil {
		old.unhook()
	}
	return c
}

// Start connects and returns when the subscription stands, or when ctx ends;
// ctx bounds only that.
func (s *Source) Start(ctx context.Context) error {
	t := s.client.Connect()
	select {
	case <-t.Done():
		if err := t.Error(); err != nil {
			return fmt.Errorf("connect to broker %s: %w", s.address(), err)
		}
	case <-ctx.Done():
		return fmt.Errorf("connect to broker %s: %w", s.address(), ctx.Err())
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for s.stands.Load() != subscribed {
		select {
		case <-ctx.Done():
			return fmt.Errorf("subscribe at broker %s: %w", s.address(), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// address is the broker's, without a password that stands in it.
func (s *Source) address() string {
	if u, err := url.Parse(s.opts.URL); err == nil {
		return u.Redacted()
	}
	return "with an address that cannot be read"
}

// subscribe goes on until the subscription stands or the connection is lost: a
// broker that is busy may not answer in time, an access list may be mended.
func (s *Source) subscribe(c paho.Client) {
	if len(s.opts.Filters) == 0 {
		s.stands.Store(subscribed)
		return
	}
	go func() {
		for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
			err := s.subscribeOnce(c)
			if err == nil {
				s.stands.Store(subscribed)
				s.opts.Log.Info("taking readings", "component", "ingest.mqtt", "broker", s.address(), "filters", s.opts.Filters)
				return
			}
			if s.ctx.Err() != nil {
				return
			}
			if s.stands.Load() == flowing {
				s.opts.Log.Info("the broker sends what has waited before it answers the subscription", "component", "ingest.mqtt", "client_id", s.opts.ClientID)
			} else {
				s.opts.Log.Error("subscribe at the broker", "component", "ingest.mqtt", "error", err, "retry_in", wait)
			}
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
				return
			}
			if !c.IsConnectionOpen() {
				return // the next connection subscribes
			}
		}
	}()
}

func (s *Source) subscribeOnce(c paho.Client) error {
	filters := map[string]byte{}
	for _, f := range s.opts.Filters {
		filters[f] = 1
	}
	t := c.SubscribeMultiple(filters, s.handle)
	if !t.WaitTimeout(20 * time.Second) {
		return errors.New("no answer within 20 s")
	}
	if err := t.Error(); err != nil {
		return err
	}
	for f, q := range t.(*paho.SubscribeToken).Result() {
		if q == 0x80 {
			s.stands.Store(refused)
			return fmt.Errorf("the broker refuses %s; its access list must let %s read it", f, s.opts.ClientID)
		}
	}
	return nil
}

// handle runs in order on paho's goroutine. Submit blocks only when the queue
// is full; then the broker's in-flight window fills, or the connection does with
// the queue of a kept session, and it waits.
func (s *Source) handle(_ paho.Client, m paho.Message) {
	if s.stands.Load() == unheard {
		s.stands.CompareAndSwap(unheard, flowing)
	}
	done := func(ingest.Outcome) {}
	if m.Qos() > 0 {
		numbers := s.numbers.Load()
		if !numbers.take(m.MessageID()) {
			return // not acknowledged: it comes again
		}
		done = func(ingest.Outcome) {
			m.Ack()
			numbers.leave(m.MessageID())
		}
	}
	_ = s.submit(s.ctx, ingest.Message{Source: "mqtt", Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained(), Shared: s.opts.Shared,
		ReceivedAt: time.Now(), Done: done})
}

// Leave ends the session's subscriptions to filters. What the broker has kept
// for it by then still comes.
func (s *Source) Leave(filters ...string) {
	if t := s.client.Unsubscribe(filters...); t.WaitTimeout(20*time.Second) && t.Error() != nil {
		s.opts.Log.Warn("unsubscribe at the broker", "component", "ingest.mqtt", "error", t.Error())
	}
}

// ClientID is the session's name at the broker.
func (s *Source) ClientID() string { return s.opts.ClientID }

// Connected says whether messages can come: the subscription stands, or that of
// a session that the broker kept does.
func (s *Source) Connected() bool {
	now := s.stands.Load()
	return (now == subscribed || now == flowing) && s.client.IsConnectionOpen()
}

// Stop disconnects. The session stays with the broker, which keeps what comes.
func (s *Source) Stop() {
	s.end()
	s.client.Disconnect(250)
}

// Publish sends a message without waiting for the broker's answer.
func (s *Source) Publish(topic string, retained bool, payload []byte) {
	s.client.Publish(topic, 1, retained, payload)
}

// Send publishes a message at QoS 1 and returns when the broker has it.
func (s *Source) Send(ctx context.Context, topic string, retained bool, payload []byte) error {
	if !s.client.IsConnectionOpen() {
		return errors.New("not connected to the broker")
	}
	t := s.client.Publish(topic, 1, retained, payload)
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notice is what a device is told on its error topic.
type notice struct {
	Code       string    `json:"code"`
	Message    string    `json:"message"`
	Topic      string    `json:"topic"`
	ReceivedAt time.Time `json:"received_at"`
}

// Tell lets a device know why its message was refused, at most five times a
// second each: a device in a loop must not make us flood it in turn.
func (s *Source) Tell(d ingest.DeadLetter) {
	s.tellMu.Lock()
	l := s.tell[d.Device]
	if l == nil {
		if len(s.tell) > 10_000 { // forged ids must not fill memory
			clear(s.tell)
		}
		l = rate.NewLimiter(5, 20)
		s.tell[d.Device] = l
	}
	s.tellMu.Unlock()
	if !l.Allow() || !s.client.IsConnectionOpen() {
		return
	}
	b, err := json.Marshal(notice{d.Code, d.Message, d.Topic, d.ReceivedAt})
	if err != nil {
		return
	}
	s.client.Publish(ingest.ErrorsTopic(d.Device), 0, false, b)
}
