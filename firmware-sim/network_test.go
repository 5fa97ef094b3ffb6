package firmwaresim

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// startMosquitto runs a real broker on a free port of loopback.
func startMosquitto(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		if program = "/usr/sbin/mosquitto"; !exists(program) {
			if os.Getenv("HAIDANG_REQUIRE_SERVICES") == "1" {
				t.Fatal("mosquitto is not installed, and HAIDANG_REQUIRE_SERVICES=1")
			}
			t.Skip("mosquitto is not installed")
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	broker := exec.Command(program, "-c", config)
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Process.Kill(); broker.Wait() })
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return "tcp://" + address
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("mosquitto does not listen")
	return ""
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// listener keeps the last state and the number of readings of each device.
type listener struct {
	mu       sync.Mutex
	states   map[string]string
	offline  map[string]int
	readings map[string]int
}

func listen(t *testing.T, broker string) *listener {
	t.Helper()
	l := &listener{states: map[string]string{}, offline: map[string]int{}, readings: map[string]int{}}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("listener"))
	if token := client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal("cannot connect the listener", token.Error())
	}
	t.Cleanup(func() { client.Disconnect(0) })
	token := client.Subscribe("ioc/v1/devices/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		l.mu.Lock()
		defer l.mu.Unlock()
		part := strings.Split(m.Topic(), "/")
		switch part[4] {
		case "state":
			l.states[part[3]] = string(m.Payload())
			if string(m.Payload()) == "offline" {
				l.offline[part[3]]++
			}
		case "readings":
			l.readings[part[3]]++
		}
	})
	if !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatal("cannot subscribe", token.Error())
	}
	return l
}

// until waits for a condition on what has been heard.
func (l *listener) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		l.mu.Lock()
		ok := done()
		l.mu.Unlock()
		if ok {
			return
		}
	}
	t.Fatalf("waited 20 s in vain: %s; states %v, readings %v", what, l.states, l.readings)
}

func (l *listener) in(state string) (n int) {
	for _, s := range l.states {
		if s == state {
			n++
		}
	}
	return n
}

func TestRunAgainstMosquitto(t *testing.T) {
	broker := startMosquitto(t)
	heard := listen(t, broker)
	var reports sync.Map
	city := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != ReportsPath {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		reports.Store(string(body), true)
		w.WriteHeader(http.StatusCreated)
	}))
	defer city.Close()

	s := load(t, DefaultScenario)
	s.Faults = []Fault{{Kind: FaultDropout, Probability: 1, Devices: []string{"qb-cam-01"}, From: time.Hour, Until: 70 * time.Minute, For: 20 * time.Minute}}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := Run(ctx, s, Options{MQTT: broker, HTTP: city.URL, TimeFactor: 1200, Seed: 1}); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer stop()
	heard.until(t, "all are online and have said something", func() bool { return heard.in("online") == 78 && len(heard.readings) == 78 })
	heard.until(t, "the last will of the camera that dropped out", func() bool { return heard.offline["qb-cam-01"] > 0 })
	heard.until(t, "it comes back", func() bool { return heard.states["qb-cam-01"] == "online" })
	heard.until(t, "a citizen's report", func() bool {
		posted := 0
		reports.Range(func(_, _ any) bool { posted++; return true })
		return posted > 0
	})
	stop()
	heard.until(t, "all say goodbye", func() bool { return heard.in("offline") == 78 })
}

func TestRunNamesABadBroker(t *testing.T) {
	err := Run(t.Context(), load(t, DefaultScenario), Options{MQTT: "127.0.0.1"})
	if err == nil || !strings.Contains(err.Error(), "tcp://") {
		t.Fatalf("error %v does not say how an address looks", err)
	}
}
