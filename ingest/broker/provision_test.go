package broker_test

import (
	"encoding/json"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices/credentials"
	"haidang/ingest"
	"haidang/ingest/broker"
)

// A device out of its box asks as ThingsBoard's do, is given a secret, signs in
// with it and sends. Nobody else hears the answer.
func TestDeviceRegistersItselfOverMQTT(t *testing.T) {
	doors := openDoors(t, "victim")
	key, secret, err := doors.CreateKey(t.Context(), credentials.Key{Type: "water_level"})
	if err != nil {
		t.Fatal(err)
	}
	b, got := start(t, broker.Options{Gate: doors, Provision: doors})
	defer b.Close()
	b.Ready()
	answers := make(chan []byte, 10)
	box := func(client string) *paho.ClientOptions {
		return options(b, "provision").SetClientID(client).SetAutoReconnect(false).SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { answers <- m.Payload() })
	}
	for _, taken := range []string{"victim", "VICTIM:1", "victim~2", broker.InternalUser} {
		if _, err := connect(t, box(taken)); err == nil {
			t.Errorf("it may have the session of %s", taken)
		}
	}
	c := device(t, box("box-1"))
	done(t, c.Subscribe("/provision/response", 1, nil))
	if _, err := connect(t, box("eavesdropper")); err == nil {
		t.Error("another could listen to the answer")
	}
	// It may do nothing else.
	c.Publish("ioc/v1/devices/x/readings", 1, false, "forged").WaitTimeout(200 * time.Millisecond)
	nothing(t, got)
	request, err := json.Marshal(credentials.Request{Name: "qb-level-31", Key: key.Key, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	done(t, c.Publish("/provision/request", 1, false, request))
	var a credentials.Answer
	select {
	case answer := <-answers:
		if err := json.Unmarshal(answer, &a); err != nil || a.Status != "SUCCESS" {
			t.Fatalf("answered %s", answer)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
	}
	eventually(t, "the session ends", func() bool { return !c.IsConnected() })
	dev := device(t, options(b, a.Value.Username).SetClientID(a.Value.ClientID).SetPassword(a.Value.Password))
	defer dev.Disconnect(0)
	token := dev.Publish("ioc/v1/devices/qb-level-31/readings", 1, false, "level")
	m := next(t, got)
	m.Done(ingest.Outcome{})
	done(t, token)
	// The next may ask when what the last one sent must have come; at QoS 0 too.
	eventually(t, "the next is let in", func() bool { c, err = connect(t, box("")); return err == nil })
	done(t, c.Subscribe("/provision/response", 0, nil))
	done(t, c.Publish("/provision/request", 0, false, request))
	select {
	case answer := <-answers:
		if err := json.Unmarshal(answer, &a); err != nil || a.Status != "FAILURE" {
			t.Errorf("the same device again: %s", answer)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no answer at QoS 0")
	}
}
