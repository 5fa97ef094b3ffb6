package broker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices/credentials"
	"haidang/ingest"
	"haidang/ingest/broker"
	"haidang/ingest/mqtt"
)

// start runs a broker whose messages come to got; Done is left to the test.
func start(t testing.TB, o broker.Options) (b *broker.Broker, got <-chan ingest.Message) {
	t.Helper()
	messages := make(chan ingest.Message, 100)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	o.Submit = func(_ context.Context, m ingest.Message) error { messages <- m; return nil }
	b, err := broker.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return b, messages
}

// speak is the server's own client.
func speak(t testing.TB, b *broker.Broker) *mqtt.Source {
	t.Helper()
	s := mqtt.New(mqtt.Options{URL: b.ServerURL(), ClientID: broker.InternalUser, Username: broker.InternalUser, Password: b.ServerPassword(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func options(b *broker.Broker, id string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("dev-" + id).SetUsername(id).SetConnectTimeout(3 * time.Second).SetMaxReconnectInterval(100 * time.Millisecond)
}

// own are options of a device that signs in.
func own(b *broker.Broker, id, secret string) *paho.ClientOptions {
	return options(b, id).SetClientID(id).SetPassword(secret)
}

func connect(t testing.TB, o *paho.ClientOptions) (paho.Client, error) {
	t.Helper()
	c := paho.NewClient(o)
	token := c.Connect()
	token.Wait()
	return c, token.Error()
}

func device(t testing.TB, o *paho.ClientOptions) paho.Client {
	t.Helper()
	c, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func next(t testing.TB, got <-chan ingest.Message) ingest.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func nothing(t testing.TB, got <-chan ingest.Message) {
	t.Helper()
	select {
	case m := <-got:
		t.Fatalf("%s %q came too", m.Topic, m.Payload)
	case <-time.After(300 * time.Millisecond):
	}
}

func done(t testing.TB, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatalf("not answered: %v", token.Error())
	}
}

// A device is told that its reading is taken when it is kept, not before.
func TestDeviceIsAnsweredWhenItsReadingIsKept(t *testing.T) {
	b, got := start(t, broker.Options{Open: true})
	defer b.Close()
	b.Ready()
	c := device(t, options(b, "a"))
	defer c.Disconnect(0)
	first := c.Publish("ioc/v1/devices/a/readings", 1, false, "one")
	second := c.Publish("ioc/v1/devices/a/readings", 1, false, "two")
	m, n := next(t, got), next(t, got)
	if string(m.Payload) != "one" || m.Topic != "ioc/v1/devices/a/readings" || m.Source != "mqtt" || m.ReceivedAt.IsZero() {
		t.Errorf("came as %+v", m)
	}
	if first.WaitTimeout(300 * time.Millisecond) {
		t.Fatal("answered before it was kept")
	}
	n.Done(ingest.Outcome{}) // MQTT answers in order
	if second.WaitTimeout(100 * time.Millisecond) {
		t.Error("the second was answered before the first")
	}
	m.Done(ingest.Outcome{})
	done(t, first)
	done(t, second)
}

// What was not answered when the program ended is the device's to send again.
func TestUnansweredReadingsComeAgain(t *testing.T) {
	dir := t.TempDir()
	b, got := start(t, broker.Options{Open: true, Dir: dir})
	b.Ready()
	c := device(t, options(b, "a").SetCleanSession(false))
	defer c.Disconnect(0)
	token := c.Publish("ioc/v1/devices/a/readings", 1, false, "one")
	next(t, got) // never done
	at := b.Addr()
	b.Close()
	b, got = start(t, broker.Options{Open: true, Dir: dir, Listen: at})
	defer b.Close()
	b.Ready()
	m := next(t, got)
	if string(m.Payload) != "one" {
		t.Errorf("came again: %q", m.Payload)
	}
	m.Done(ingest.Outcome{})
	done(t, token)
	nothing(t, got)
}

// Each message comes once, whatever its QoS, and by the topic it was sent on.
func TestEachMessageComesOnce(t *testing.T) {
	b, got := start(t, broker.Options{Open: true, Feeds: []string{"application/+/device/+/event/+", "v1.gateway/#"}})
	defer b.Close()
	b.Ready()
	c := device(t, options(b, "a"))
	defer c.Disconnect(0)
	for _, topic := range []string{"ioc/v1/devices/a/readings", "ioc/v1/devices/a/state", "ioc/v1/reports", "application/1/device/a8.40/event/up", "v1.gateway", "v1.gateway/a/b"} {
		for qos := range byte(3) {
			token := c.Publish(topic, qos, topic == "ioc/v1/devices/a/state", "x")
			m := next(t, got)
			if m.Topic != topic {
				t.Errorf("%s at QoS %d came as %s", topic, qos, m.Topic)
			}
			if m.Done != nil {
				m.Done(ingest.Outcome{})
			}
			done(t, token)
		}
	}
	// Where nobody listens, a message with QoS is answered all the same.
	for _, topic := range []string{"elsewhere", "/lead", "trail/", "a//b", "a.b/c.d", "ioc/v1/devices//readings"} {
		token := c.Publish(topic, 1, false, "x")
		m := next(t, got)
		if m.Topic != topic {
			t.Errorf("%s came as %s", topic, m.Topic)
		}
		m.Done(ingest.Outcome{})
		done(t, token)
	}
	nothing(t, got)
}

// In an open broker others may listen to devices too, at any QoS.
func TestOthersListenToAnOpenBroker(t *testing.T) {
	b, got := start(t, broker.Options{Open: true})
	defer b.Close()
	b.Ready()
	heard := make(chan string, 10)
	for _, qos := range []byte{0, 1} {
		o := options(b, fmt.Sprint("listener-", qos))
		c := device(t, o)
		defer c.Disconnect(0)
		done(t, c.Subscribe("ioc/v1/#", qos, func(_ paho.Client, m paho.Message) { heard <- fmt.Sprint(m.Topic(), " ", m.Qos()) }))
	}
	s := speak(t, b)
	defer s.Stop()
	time.Sleep(300 * time.Millisecond) // until the store has heard of it
	c := device(t, options(b, "a"))
	defer c.Disconnect(0)
	token := c.Publish("ioc/v1/devices/a/readings", 1, false, "x")
	next(t, got).Done(ingest.Outcome{})
	done(t, token)
	s.Publish("ioc/v1/live/alerts", false, []byte("x"))
	counts := map[string]int{}
	for range 4 {
		select {
		case h := <-heard:
			counts[h]++
		case <-time.After(5 * time.Second):
			t.Fatalf("heard %v only", counts)
		}
	}
	for _, want := range []string{"ioc/v1/devices/a/readings 0", "ioc/v1/devices/a/readings 1", "ioc/v1/live/alerts 0", "ioc/v1/live/alerts 1"} {
		if counts[want] != 1 {
			t.Errorf("heard %v, want %s", counts, want)
		}
	}
	nothing(t, got)
}

func TestLastWillComes(t *testing.T) {
	b, got := start(t, broker.Options{Open: true})
	defer b.Close()
	b.Ready()
	o := options(b, "a").SetWill("ioc/v1/devices/a/state", "offline", 1, true).SetAutoReconnect(false)
	conn := &cut{}
	o.SetCustomOpenConnectionFn(conn.dial)
	device(t, o)
	conn.Close()
	m := next(t, got)
	if m.Topic != "ioc/v1/devices/a/state" || string(m.Payload) != "offline" {
		t.Errorf("came as %s %q", m.Topic, m.Payload)
	}
	m.Done(ingest.Outcome{})
	nothing(t, got)
}

// A stop is not an error of each device that had a last will.
func TestStopSaysNothing(t *testing.T) {
	var said bytes.Buffer
	b, err := broker.Start(broker.Options{Open: true, Dir: t.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&said, nil)),
		Submit: func(context.Context, ingest.Message) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	b.Ready()
	for _, id := range []string{"a", "b", "c"} {
		device(t, options(b, id).SetWill("ioc/v1/devices/"+id+"/state", "offline", 1, true).SetAutoReconnect(false))
	}
	b.Close()
	if strings.Contains(said.String(), "level=ERROR") {
		t.Errorf("it says %s", said.String())
	}
}

func TestDeviceSpeaksOnlyAsItself(t *testing.T) {
	doors := openDoors(t, "a", "gw")
	_, secret := doors.issue(t, "a", credentials.Terms{})
	_, gateways := doors.issue(t, "gw", credentials.Terms{})
	b, got := start(t, broker.Options{Gate: doors, Feeds: []string{"plant/+/data"}, Grants: map[string][]string{"gw": {"plant/+/data"}}})
	defer b.Close()
	s := speak(t, b)
	defer s.Stop()
	if _, err := connect(t, own(b, "a", secret)); err == nil {
		t.Error("a device was let in before ingest was ready")
	}
	b.Ready()
	if _, err := connect(t, own(b, "a", "wrong")); err == nil {
		t.Error("a device was let in with a wrong secret")
	}
	c := device(t, own(b, "a", secret))
	defer c.Disconnect(0)
	gw := device(t, own(b, "gw", gateways))
	defer gw.Disconnect(0)
	for _, forged := range []string{"ioc/v1/devices/b/readings", "ioc/v1/reports", "ioc/v1/live/alerts", "ioc/v1/devices/a/errors", "plant/1/data", "$MQTT/msgs/ioc/v1/devices/b/readings", "$JS/API/INFO"} {
		c.Publish(forged, 1, false, "forged").WaitTimeout(200 * time.Millisecond)
		c.Publish(forged, 0, false, "forged")
	}
	for _, forged := range []string{"ioc/v1/devices/a/readings", "plant/1/other"} {
		gw.Publish(forged, 1, false, "forged").WaitTimeout(200 * time.Millisecond)
	}
	nothing(t, got)
	gw.Publish("plant/1/data", 0, false, "granted")
	if m := next(t, got); string(m.Payload) != "granted" {
		t.Errorf("a forged message came through on %s", m.Topic)
	}
	for _, others := range []string{"ioc/v1/devices/b/config", "ioc/v1/devices/+/readings", "#", "$MQTT/#", "$SYS/#"} {
		if token := c.Subscribe(others, 1, nil); token.WaitTimeout(5*time.Second) && token.Error() == nil && token.(*paho.SubscribeToken).Result()[others] != 0x80 {
			t.Errorf("it may read %s", others)
		}
	}
	told := make(chan []byte, 1)
	done(t, c.Subscribe("ioc/v1/devices/a/errors", 0, func(_ paho.Client, m paho.Message) { told <- m.Payload() }))
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

// What the server has for a device waits for one that is away, also over a
// restart.
func TestServersMessagesWaitForADevice(t *testing.T) {
	dir := t.TempDir()
	b, _ := start(t, broker.Options{Open: true, Dir: dir})
	b.Ready()
	told := make(chan string, 10)
	doors := openDoors(t, "a")
	_, secret := doors.issue(t, "a", credentials.Terms{})
	o := own(b, "a", "").SetCleanSession(false).SetAutoReconnect(false).SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { told <- string(m.Payload()) })
	c := device(t, o)
	done(t, c.Subscribe("ioc/v1/devices/a/commands/#", 1, nil))
	c.Disconnect(100)
	s := speak(t, b)
	s.Publish("ioc/v1/devices/a/config", true, []byte("settings"))
	s.Publish("ioc/v1/devices/a/commands/reboot", false, []byte("now"))
	time.Sleep(300 * time.Millisecond)
	s.Stop()
	at := b.Addr()
	b.Close()
	b, got := start(t, broker.Options{Gate: doors, Dir: dir, Listen: at})
	defer b.Close()
	b.Ready()
	c = device(t, o.SetPassword(secret))
	defer c.Disconnect(0)
	done(t, c.Subscribe("ioc/v1/devices/a/config", 1, nil))
	var all []string
	for range 2 {
		select {
		case p := <-told:
			all = append(all, p)
		case <-time.After(5 * time.Second):
			t.Fatalf("the device was told %q only", all)
		}
	}
	if slices.Sort(all); !slices.Equal(all, []string{"now", "settings"}) {
		t.Errorf("the device was told %q", all)
	}
	nothing(t, got)
}
