package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// story is the whole program, in process, on ports of its own.
type story struct {
	t          *testing.T
	HTTP, MQTT string `json:"-"`
	Data       string
	token      string // of whom calls are; empty: nobody
}

// What does not come within these is waited for no longer, so that the test which
// hangs is named.
const startsWithin, answersWithin = 2 * time.Minute, time.Minute

// patient asks the program, under whatever load.
var patient = &http.Client{Timeout: answersWithin}

// services says whether the real services must be there.
func need(t *testing.T, program string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/bin") {
		if p := filepath.Join(dir, program); exists(p) {
			return p
		}
	}
	if os.Getenv("HAIDANG_REQUIRE_SERVICES") == "1" {
		t.Fatalf("%s is missing; make setup installs it", program)
	}
	t.Skipf("%s is missing; make setup installs it", program)
	return ""
}

func exists(p string) bool { _, err := os.Stat(p); return err == nil }

// start runs fn, which prints a banner, until the test ends or stop is called.
func start(t *testing.T, fn func(context.Context, io.Writer, *slog.Logger) error) (s *story, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := fn(ctx, w, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
		w.CloseWithError(io.EOF)
		done <- err
	}()
	s = &story{t: t}
	late := time.AfterFunc(startsWithin, func() { r.CloseWithError(errors.New("it takes too long to start")) })
	defer late.Stop()
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		var b struct{ HTTP, MQTT, Data string }
		if json.Unmarshal(sc.Bytes(), &b) == nil && b.HTTP != "" {
			s.HTTP, s.MQTT, s.Data = b.HTTP, b.MQTT, b.Data
			break
		}
	}
	go io.Copy(io.Discard, r)
	if s.HTTP == "" {
		cancel()
		select {
		case err := <-done:
			t.Fatalf("the program did not start: %v", err)
		case <-time.After(30 * time.Second):
			t.Fatalf("the program did not start within %s, and does not end", startsWithin)
		}
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the program ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the program did not end")
		}
	}
	t.Cleanup(stop)
	return s, stop
}

func demo(t *testing.T, change func(*demoCmd)) (*story, func()) {
	t.Helper()
	d := &demoCmd{HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Scenario: "quang-binh", TimeFactor: 60, Seed: 1, NoSim: true, Data: t.TempDir()}
	if change != nil {
		change(d)
	}
	return start(t, d.run)
}

// secret is the token of those who sign in, secretSHA256 what a configuration
// holds of it.
const secret, secretSHA256 = "0123456789", "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"

// serveBehind runs haidang serve behind an outside broker, with sources, as an
// integrator.
func serveBehind(t *testing.T, broker, sources string) *story {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	text := fmt.Appendf(nil, "unknown_devices = \"register\"\n[broker]\nurl = \"tcp://%s\"\n[[tokens]]\nname = \"i\"\nrole = \"integrator\"\nsha256 = \"%s\"\n%s", broker, secretSHA256, sources)
	if err := os.WriteFile(conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, (&serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0"}).run)
	s.token = secret
	return s
}

// mosquitto runs a real broker.
func mosquitto(t *testing.T) string {
	t.Helper()
	bin := need(t, "mosquitto")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	conf := filepath.Join(t.TempDir(), "m.conf")
	os.WriteFile(conf, []byte(fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n", addr.Port)), 0o600)
	cmd := exec.Command(bin, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 100 {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			c.Close()
			return addr.String()
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("mosquitto did not start")
	return ""
}

// publish sends one message with mosquitto_pub, as a newcomer would.
func publish(t *testing.T, addr, topic, payload string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(addr, "tcp://"))
	ctx, cancel := context.WithTimeout(t.Context(), answersWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, need(t, "mosquitto_pub"), "-h", host, "-p", port, "-q", "1", "-t", topic, "-s")
	cmd.Stdin = strings.NewReader(payload)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub: %v %s", err, out)
	}
}

// call asks the API and decodes the answer; it returns the status.
func (s *story) call(method, path string, body, into any) int {
	s.t.Helper()
	var rd io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		rd = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, s.HTTP+path, rd)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := patient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if into != nil {
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			s.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return res.StatusCode
}

// eventually waits until ok, or fails saying what.
func (s *story) eventually(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.t.Fatalf("never: %s", what)
}

type items struct {
	Items []map[string]any `json:"items"`
	Next  string           `json:"next"`
}
