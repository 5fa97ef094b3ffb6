package ingesttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// MosquittoOptions are what differs between tests.
type MosquittoOptions struct {
	// Users maps names to passwords; none means that anybody may come.
	Users map[string]string
	// ACL is the text of an acl_file; empty means that everybody may do all.
	ACL string
	// Settings replace what decides which messages are kept; empty means all
	// are, saved to disk each second.
	Settings string
}

const keepAll = `persistence true
autosave_interval 1
max_queued_messages 0
max_queued_bytes 268435456
set_tcp_nodelay true
`

// Mosquitto is a running mosquitto that keeps its messages across Stop and Start.
type Mosquitto struct {
	process
	Address string // host:port
	URL     string // tcp://host:port
}

// StartMosquitto starts mosquitto on a free loopback port. It ends with the
// test. HAIDANG_MOSQUITTO may name the program.
func StartMosquitto(t testing.TB, o MosquittoOptions) *Mosquitto {
	t.Helper()
	program := find(t, "mosquitto", "HAIDANG_MOSQUITTO")
	dir, port := t.TempDir(), freePort(t)
	var c strings.Builder
	fmt.Fprintf(&c, "listener %d 127.0.0.1\npersistence_location %s/\nlog_dest stderr\n", port, dir)
	if u, err := user.Current(); err == nil && u.Uid == "0" {
		c.WriteString("user root\n") // else it becomes a user that may not read the folder
	}
	fmt.Fprintf(&c, "allow_anonymous %t\n", len(o.Users) == 0)
	if len(o.Users) > 0 {
		fmt.Fprintf(&c, "password_file %s\n", passwords(t, dir, o.Users))
	}
	if o.ACL != "" {
		fmt.Fprintf(&c, "acl_file %s\n", write(t, filepath.Join(dir, "acl"), o.ACL))
	}
	if o.Settings == "" {
		o.Settings = keepAll
	}
	c.WriteString(o.Settings)
	config := write(t, filepath.Join(dir, "mosquitto.conf"), c.String())
	m := &Mosquitto{Address: loopback(port), URL: "tcp://" + loopback(port)}
	m.process = process{t: t, name: "mosquitto", program: program, args: []string{"-c", config},
		log: filepath.Join(dir, "mosquitto.log"), ready: m.dial}
	m.cleanup()
	m.Start()
	return m
}

func (m *Mosquitto) dial() error {
	c, err := net.DialTimeout("tcp", m.Address, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func passwords(t testing.TB, dir string, users map[string]string) string {
	t.Helper()
	var text strings.Builder
	for name, password := range users {
		fmt.Fprintf(&text, "%s:%s\n", name, password)
	}
	path := write(t, filepath.Join(dir, "passwords"), text.String())
	if out, err := exec.Command(find(t, "mosquitto_passwd", "HAIDANG_MOSQUITTO_PASSWD"), "-U", path).CombinedOutput(); err != nil {
		t.Fatalf("hash passwords: %v %s", err, out)
	}
	return path
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
