// Package deploy_test holds the shipped configurations against the real
// programs and the code.
package deploy_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/goccy/go-yaml"

	"haidang/ingest/ingesttest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// settings are the shipped mosquitto.conf without what differs on each machine.
func settings(t *testing.T) string {
	var kept []string
	for line := range strings.Lines(read(t, "mosquitto/mosquitto.conf")) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains([]string{"listener", "cafile", "certfile", "keyfile", "allow_anonymous", "use_username_as_clientid", "password_file", "acl_file", "persistence_location"}, word) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// The shipped settings start in a real mosquitto, and under the shipped rules
// a device writes only as itself and hears nobody else.
func TestMosquittoLetsADeviceBeOnlyItself(t *testing.T) {
	users := map[string]string{"QB-Air-01": "a", "QB-Air-02": "b", "haidang-ingest": "c"}
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{Users: users, ACL: read(t, "mosquitto/haidang.acl"), Settings: settings(t)})
	dial := func(user string, take mqtt.MessageHandler) mqtt.Client {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.URL).SetClientID(rand.Text()).SetUsername(user).SetPassword(users[user]).
			SetDefaultPublishHandler(take).SetAutoReconnect(false))
		if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatalf("%s: %v", user, token.Error())
		}
		t.Cleanup(func() { c.Disconnect(0) })
		return c
	}
	wait := func(token mqtt.Token) error {
		if !token.WaitTimeout(10 * time.Second) {
			t.Fatal("no answer")
		}
		return token.Error()
	}
	heard, overheard := make(chan string, 20), make(chan string, 20)
	ingest := dial("haidang-ingest", func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() })
	if err := wait(ingest.Subscribe("ioc/v1/#", 1, nil)); err != nil {
		t.Fatal(err)
	}
	other := dial("QB-Air-02", func(_ mqtt.Client, m mqtt.Message) { overheard <- m.Topic() })
	wait(other.Subscribe("ioc/v1/#", 1, nil))
	wait(other.Subscribe("ioc/v1/devices/QB-Air-01/errors", 1, nil))
	wait(other.Subscribe("ioc/v1/devices/QB-Air-02/errors", 1, nil))
	for _, topic := range []string{
		"ioc/v1/devices/QB-Air-02/readings", "ioc/v1/devices/qb-air-01/readings", "ioc/v1/devices/QB-Air-01/errors", "ioc/v1/live/alerts", "ioc/v1/reports", "other",
	} {
		// mosquitto closes the connection of who publishes what it may not, so
		// there may be no answer.
		forger := dial("QB-Air-01", nil)
		forger.Publish(topic, 1, false, "forged").WaitTimeout(200 * time.Millisecond)
	}
	device := dial("QB-Air-01", nil)
	for _, leaf := range []string{"readings", "events", "state"} {
		if err := wait(device.Publish("ioc/v1/devices/QB-Air-01/"+leaf, 1, false, "online")); err != nil {
			t.Error(err)
		}
	}
	for _, device := range []string{"QB-Air-01", "QB-Air-02"} {
		wait(ingest.Publish("ioc/v1/devices/"+device+"/errors", 1, false, "{}"))
	}
	want := []string{"ioc/v1/devices/QB-Air-01/readings", "ioc/v1/devices/QB-Air-01/events", "ioc/v1/devices/QB-Air-01/state",
		"ioc/v1/devices/QB-Air-01/errors", "ioc/v1/devices/QB-Air-02/errors"}
	if got := collect(heard, len(want)); !slices.Equal(got, want) {
		t.Errorf("Hải Đăng heard %q, want %q", got, want)
	}
	if got := collect(overheard, 1); !slices.Equal(got, want[4:]) {
		t.Errorf("another device heard %q, want its own errors only", got)
	}
}

// collect takes n, and what else comes soon after.
func collect(from chan string, n int) (got []string) {
	for wait := 5 * time.Second; ; {
		select {
		case s := <-from:
			if got = append(got, s); len(got) >= n {
				wait = 300 * time.Millisecond
			}
		case <-time.After(wait):
			return got
		}
	}
}

// A rule about a metric that no code counts would be silent for ever.
func TestPrometheusRulesNameRealMetrics(t *testing.T) {
	var code bytes.Buffer
	for _, room := range []string{"devices", "ingest", "alerts", "web", "cmd"} {
		err := filepath.WalkDir(filepath.Join("..", room), func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				code.WriteString(read(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	names := regexp.MustCompile(`haidang_[a-z_]+`).FindAllString(read(t, "prometheus/haidang.rules.yaml"), -1)
	if len(names) < 8 {
		t.Errorf("found only %q", names)
	}
	for _, name := range names {
		if !strings.Contains(code.String(), `"`+strings.TrimSuffix(name, "_bucket")+`"`) {
			t.Errorf("no code counts %s", name)
		}
	}
}

func TestFilesAreWellFormed(t *testing.T) {
	for _, path := range []string{"compose.yaml", "prometheus/prometheus.yml", "prometheus/haidang.rules.yaml"} {
		var v map[string]any
		if err := yaml.Unmarshal([]byte(read(t, path)), &v); err != nil || len(v) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if out, err := exec.Command("sh", "-n", "setup.sh").CombinedOutput(); err != nil {
		t.Errorf("setup.sh: %v %s", err, out)
	}
}
