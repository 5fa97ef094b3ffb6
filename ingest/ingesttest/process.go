// Package ingesttest starts the real servers that the program works with, and
// holds the contract suites of ingest's interfaces. Only tests import it.
package ingesttest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// process is a server that a test starts, stops and starts again.
type process struct {
	t       testing.TB
	name    string
	program string
	args    []string
	env     []string // beside the test's own
	log     string   // a file
	ready   func() error
	cmd     *exec.Cmd
	exited  chan struct{}
}

// find looks for a program: where an environment variable says, among this
// repository's own tools, on the PATH, in sbin. A missing one skips the test,
// and fails it where HAIDANG_REQUIRE_SERVICES=1, so that no CI is green by
// having run nothing.
func find(t testing.TB, name, env string) string {
	t.Helper()
	if path := os.Getenv(env); path != "" {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s names %s, which is not there: %v", env, path, err)
		}
		return path
	}
	if _, here, _, ok := runtime.Caller(0); ok {
		root := filepath.Join(filepath.Dir(here), "..", "..")
		for _, dir := range []string{".tools/bin", ".tools"} {
			if path := filepath.Join(root, dir, name); executable(path) {
				return path
			}
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if path := filepath.Join("/usr/sbin", name); executable(path) { // Debian's place for mosquitto
		return path
	}
	if os.Getenv("HAIDANG_REQUIRE_SERVICES") == "1" {
		t.Fatalf("%s is not installed; run deploy/setup.sh", name)
	}
	t.Skipf("%s is not installed; deploy/setup.sh installs it", name)
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Start starts the server and waits until it is ready.
func (p *process) Start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), p.env...)
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	p.cmd, p.exited = cmd, exited
	deadline := time.Now().Add(60 * time.Second)
	for err = errors.New("not tried"); err != nil; time.Sleep(25 * time.Millisecond) {
		select {
		case <-exited:
			p.t.Fatalf("%s ended while starting:\n%s", p.name, p.tail())
		default:
		}
		if err = p.ready(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s is not ready: %v\n%s", p.name, err, p.tail())
		}
	}
}

// Stop asks the server to end and waits for that.
func (p *process) Stop() { p.end(syscall.SIGTERM) }

// Kill ends the server without warning, as a crash would.
func (p *process) Kill() { p.end(syscall.SIGKILL) }

func (p *process) end(sig syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(sig)
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		p.cmd.Process.Kill()
		<-p.exited
		p.t.Errorf("%s did not end within 20 s", p.name)
	}
	p.cmd = nil
}

// cleanup ends the server with the test, and shows its log if that failed.
func (p *process) cleanup() {
	p.t.Cleanup(func() {
		p.Kill()
		if p.t.Failed() {
			p.t.Logf("log of %s:\n%s", p.name, p.tail())
		}
	})
}

func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// freePort is a loopback port that nobody listens on just now. A server that
// must come back on the same port cannot ask for port 0.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
