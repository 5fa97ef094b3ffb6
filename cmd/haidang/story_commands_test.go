package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"
)

// sleeper is a device that is connected now and then, with a session that its
// broker keeps.
type sleeper struct {
	t      *testing.T
	id     string
	client paho.Client
	mu     sync.Mutex
	got    []map[string]any // commands, in order of arrival
}

func newSleeper(t *testing.T, broker, id string) *sleeper {
	d := &sleeper{t: t, id: id}
	d.client = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID(id).SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(200*time.Millisecond).
		SetWill(d.topic("state"), "offline", 1, true).SetDefaultPublishHandler(d.hear))
	t.Cleanup(func() { d.client.Disconnect(50) })
	return d
}

func (d *sleeper) topic(leaf string) string { return "ioc/v1/devices/" + d.id + "/" + leaf }

func (d *sleeper) hear(_ paho.Client, m paho.Message) {
	var c map[string]any
	if err := json.Unmarshal(m.Payload(), &c); err != nil {
		d.t.Errorf("%s has %q", m.Topic(), m.Payload())
	}
	c["topic"] = m.Topic()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, c)
}

func (d *sleeper) commands() []map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]map[string]any(nil), d.got...)
}

func (d *sleeper) must(token paho.Token) {
	d.t.Helper()
	if !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		d.t.Fatalf("%s: %v", d.id, token.Error())
	}
}

func (d *sleeper) wake() {
	d.t.Helper()
	d.must(d.client.Connect())
	d.must(d.client.Subscribe(d.topic("commands/+"), 1, d.hear))
	d.must(d.client.Publish(d.topic("state"), 1, true, "online"))
}

func (d *sleeper) sleep() {
	d.t.Helper()
	d.must(d.client.Publish(d.topic("state"), 1, true, "offline"))
	d.client.Disconnect(250)
}

func (d *sleeper) answer(name string, id any, status string) {
	d.t.Helper()
	d.must(d.client.Publish(d.topic("replies/"+name), 1, false, fmt.Sprintf(`{"id":%q,"status":%q,"message":"xong"}`, id, status)))
}

// tell gives a command and returns its id.
func (s *story) tell(device, name string, expires float64) string {
	s.t.Helper()
	var c struct{ ID, State string }
	if status := s.call("POST", "/api/v1/devices/"+device+"/commands", map[string]any{"name": name, "why": "thử", "expires_in_s": expires}, &c); status != http.StatusAccepted {
		s.t.Fatalf("command %s: %d", name, status)
	}
	return c.ID
}

func (s *story) becomes(device, id, state string) map[string]any {
	s.t.Helper()
	var c map[string]any
	s.eventually("the command is "+state, func() bool {
		s.call("GET", "/api/v1/devices/"+device+"/commands/"+id, nil, &c)
		return c["state"] == state
	})
	return c
}

// A command waits for its device to wake, reaches it once, and its answer is
// shown; one that expired meanwhile never arrives.
func commandsReachASleeper(t *testing.T, s *story, d *sleeper) {
	t.Helper()
	d.wake()
	s.eventually("the device is online", func() bool {
		var v map[string]any
		return s.call("GET", "/api/v1/devices/"+d.id, nil, &v) == 200 && v["connection"] == "online"
	})
	d.sleep()
	s.eventually("the device is offline", func() bool {
		var v map[string]any
		s.call("GET", "/api/v1/devices/"+d.id, nil, &v)
		return v["connection"] == "offline"
	})
	stale := s.tell(d.id, "restart", 1)
	fresh := s.tell(d.id, "restart", 3600)
	s.becomes(d.id, stale, "expired")
	d.wake()
	s.becomes(d.id, fresh, "sent")
	s.eventually("the command arrives", func() bool { return len(d.commands()) > 0 })
	d.answer("restart", fresh, "delivered")
	s.becomes(d.id, fresh, "delivered")
	d.answer("restart", fresh, "succeeded")
	if c := s.becomes(d.id, fresh, "succeeded"); c["message"] != "xong" || c["attempts"] != 1.0 {
		t.Errorf("the command is %v", c)
	}
	// Whatever it says now, nothing comes a second time.
	marker := s.tell(d.id, "identify", 3600)
	s.eventually("the next command arrives", func() bool { return len(d.commands()) > 1 })
	if got := d.commands(); len(got) != 2 || got[0]["id"] != fresh || got[0]["topic"] != d.topic("commands/restart") || got[1]["id"] != marker {
		t.Errorf("the device got %v", got)
	}
}

func TestStoryCommandsReachASleeperByTheBrokerInside(t *testing.T) {
	data := t.TempDir()
	s, stop := demo(t, func(c *demoCmd) { c.Data = data })
	d := newSleeper(t, s.MQTT, "qb-air-01")
	commandsReachASleeper(t, s, d)
	// The program goes between sending and the answer.
	id := s.tell(d.id, "identify", 3600)
	s.eventually("the command arrives", func() bool { return len(d.commands()) > 2 })
	mqtt := s.MQTT[len("tcp://"):]
	stop()
	token := d.client.Publish(d.topic("replies/identify"), 1, false, fmt.Sprintf(`{"id":%q,"status":"succeeded","result":{"firmware":"1.4"}}`, id))
	s, _ = demo(t, func(c *demoCmd) { c.Data, c.MQTT = data, mqtt })
	d.must(token)
	if c := s.becomes(d.id, id, "succeeded"); fmt.Sprint(c["result"]) != "map[firmware:1.4]" {
		t.Errorf("the command is %v", c)
	}
	if got := d.commands(); len(got) != 3 {
		t.Errorf("the device got %v", got)
	}
}

func TestStoryCommandsReachASleeperByMosquitto(t *testing.T) {
	broker := mosquitto(t)
	s := serveBehind(t, broker, "")
	commandsReachASleeper(t, s, newSleeper(t, "tcp://"+broker, "tram-01"))
}

// The simulator's devices do what they are told and say so.
func TestStorySimulatedDevicesObey(t *testing.T) {
	s, _ := demo(t, func(c *demoCmd) { c.NoSim = false })
	const dev = "qb-air-01"
	s.eventually("the device is online", func() bool {
		var v map[string]any
		s.call("GET", "/api/v1/devices/"+dev, nil, &v)
		return v["connection"] == "online"
	})
	screen, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.HTTP, "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	if err := screen.WriteJSON(map[string]any{"type": "subscribe", "channel": "commands"}); err != nil {
		t.Fatal(err)
	}
	id := s.tell(dev, "identify", 3600)
	if c := s.becomes(dev, id, "succeeded"); c["result"] == nil {
		t.Errorf("identify: %v", c)
	}
	// A screen was told.
	screen.SetReadDeadline(time.Now().Add(20 * time.Second))
	for told := false; !told; {
		var frame struct{ Items []map[string]any }
		if err := screen.ReadJSON(&frame); err != nil {
			t.Fatalf("the screen was not told of it: %v", err)
		}
		for _, c := range frame.Items {
			told = told || c["id"] == id && c["state"] == "succeeded"
		}
	}
	if c := s.becomes(dev, s.tell(dev, "fail", 3600), "failed"); c["message"] == "" {
		t.Errorf("fail: %v", c)
	}
	s.becomes(dev, s.tell(dev, "fly", 3600), "failed")
	s.becomes(dev, s.tell(dev, "restart", 3600), "succeeded")

	var config map[string]any
	if status := s.call("PUT", "/api/v1/devices/"+dev+"/config", map[string]any{"desired": map[string]any{"interval_s": 120}, "why": "bão"}, &config); status != 200 {
		t.Fatalf("configure: %d %v", status, config)
	}
	s.eventually("the device applied its configuration", func() bool {
		s.call("GET", "/api/v1/devices/"+dev+"/config", nil, &config)
		return config["in_sync"] == true
	})
	if config["firmware"] == "" || config["reported_version"] != 1.0 {
		t.Errorf("the configuration is %v", config)
	}

	var asleep struct{ ID string }
	s.call("POST", "/api/v1/devices/"+dev+"/commands", map[string]any{"name": "sleep", "args": map[string]any{"seconds": 3}}, &asleep)
	s.becomes(dev, asleep.ID, "succeeded")
	s.eventually("the device sleeps", func() bool {
		var v map[string]any
		s.call("GET", "/api/v1/devices/"+dev, nil, &v)
		return v["connection"] == "offline"
	})
	s.becomes(dev, s.tell(dev, "identify", 3600), "succeeded") // when it woke

	var bulk struct {
		ID     string
		Total  int
		Open   int
		Counts map[string]int
	}
	s.call("POST", "/api/v1/commands", map[string]any{"name": "identify", "filter": map[string]any{"type": "air_station"}}, &bulk)
	s.eventually("all air stations answered", func() bool {
		s.call("GET", "/api/v1/commands/"+bulk.ID, nil, &bulk)
		return bulk.Total > 0 && bulk.Open == 0 && bulk.Counts["succeeded"] == bulk.Total
	})
}
