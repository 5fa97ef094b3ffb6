package ingesttest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
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
	// PasswordFile and ACLFile are such files in the place of those.
	PasswordFile, ACLFile string
	// UsernameAsClientID gives each client its username for a client id.
	UsernameAsClientID bool
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
	if len(o.Users) > 0 {
		o.PasswordFile = WriteMosquittoUsers(t, filepath.Join(dir, "passwords"), o.Users)
	}
	if o.ACL != "" {
		o.ACLFile = WriteFile(t, filepath.Join(dir, "acl"), o.ACL)
	}
	fmt.Fprintf(&c, "allow_anonymous %t\nuse_username_as_clientid %t\n", o.PasswordFile == "", o.UsernameAsClientID)
	for option, file := range map[string]string{"password_file": o.PasswordFile, "acl_file": o.ACLFile} {
		if file != "" {
			fmt.Fprintf(&c, "%s %s\n", option, file)
		}
	}
	if o.Settings == "" {
		o.Settings = keepAll
	}
	c.WriteString(o.Settings)
	config := WriteFile(t, filepath.Join(dir, "mosquitto.conf"), c.String())
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

// ReloadCommand is what has it read its password and access files again.
func (m *Mosquitto) ReloadCommand() []string {
	return []string{"kill", "-HUP", strconv.Itoa(m.cmd.Process.Pid)}
}

// WriteMosquittoUsers writes a password file, of names and passwords, and returns
// its path.
func WriteMosquittoUsers(t testing.TB, path string, users map[string]string) string {
	t.Helper()
	var text strings.Builder
	for name, password := range users {
		fmt.Fprintf(&text, "%s:%s\n", name, password)
	}
	WriteFile(t, path, text.String())
	if out, err := exec.Command(find(t, "mosquitto_passwd", "HAIDANG_MOSQUITTO_PASSWD"), "-U", path).CombinedOutput(); err != nil {
		t.Fatalf("hash passwords: %v %s", err, out)
	}
	return path
}

// WriteFile writes a file and returns its path.
func WriteFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
