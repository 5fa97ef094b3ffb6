package ingesttest_test

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest/ingesttest"
)

func connect(t *testing.T, m *ingesttest.Mosquitto, id, user, password string) (mqtt.Client, error) {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.URL).SetClientID(id).SetUsername(user).SetPassword(password).
		SetCleanSession(false).SetConnectRetry(false).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
	token := c.Connect()
	if !token.WaitTimeout(10 * time.Second) {
		t.Fatal("no answer to connect")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, token.Error()
}

// The settings that deploy/mosquitto ships too: what waits for a consumer that
// is away outlives the broker's restart, beyond the default queue of 1,000.
func TestMosquittoKeepsWhatWaits(t *testing.T) {
	const n = 1500
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{})
	away, err := connect(t, m, "ingest", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if token := away.Subscribe("ioc/v1/#", 1, nil); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	away.Disconnect(100)
	device, err := connect(t, m, "device", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if token := device.Publish("ioc/v1/devices/a/readings", 1, false, "{}"); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
			t.Fatal("publish:", token.Error())
		}
	}
	m.Stop()
	m.Start()
	got := make(chan struct{}, n+1)
	back := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.URL).SetClientID("ingest").SetCleanSession(false).
		SetDefaultPublishHandler(func(mqtt.Client, mqtt.Message) { got <- struct{}{} }))
	if token := back.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer back.Disconnect(0)
	for i := range n {
		select {
		case <-got:
		case <-time.After(10 * time.Second):
			t.Fatalf("got %d of %d", i, n)
		}
	}
}

func TestMosquittoAsksForPasswords(t *testing.T) {
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{Users: map[string]string{"QB-Air-01": "right"},
		ACL: "pattern write ioc/v1/devices/%u/readings\n"})
	if _, err := connect(t, m, "a", "QB-Air-01", "right"); err != nil {
		t.Error("the right password:", err)
	}
	for _, password := range []string{"wrong", ""} {
		if _, err := connect(t, m, "b", "QB-Air-01", password); err == nil {
			t.Errorf("password %q let in", password)
		}
	}
}
