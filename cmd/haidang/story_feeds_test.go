package main

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// A feed comes through a session of its own. What the session that devices
// share was once subscribed to is left, and what waited for it still comes.
func TestStoryFeedsLeaveTheSharedSession(t *testing.T) {
	addr := mosquitto(t)
	before := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("haidang-ingest").SetCleanSession(false))
	for _, step := range []func() paho.Token{before.Connect, func() paho.Token { return before.Subscribe("plant/+/data", 1, nil) }} {
		if tok := step(); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	before.Disconnect(100)
	at := time.Now().UnixMilli()
	say := func() {
		at++ // the same message twice is a duplicate
		publish(t, addr, "plant/7/data", fmt.Sprintf(`{"f":1,"t":%d}`, at))
	}
	say()

	s := serveBehind(t, addr, `[[sources]]
name = "pumps"
format = "mapping"
topic = "plant/+/data"
[sources.options]
topic_level = 2
time = "t"
layout = "unix_ms"
metrics = {flow = {path = "f"}}
`)
	counted := func(outcome string) string {
		_, text := s.page("/metrics")
		if m := regexp.MustCompile(`haidang_ingest_messages_total\{outcome="` + outcome + `"\} (\d+)`).FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return "0"
	}
	s.eventually("what waited in the old session came", func() bool { return counted("stored") == "1" })
	s.eventually("the old subscription is left", func() bool {
		stored, twice := counted("stored"), counted("duplicate")
		say()
		s.eventually("a message came", func() bool { return counted("stored") != stored })
		time.Sleep(200 * time.Millisecond) // for it to come again by the other session
		return counted("duplicate") == twice
	})
}
