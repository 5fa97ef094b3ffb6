package sentences

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"haidang/ingest"
)

type lines struct {
	mu  sync.Mutex
	got bytes.Buffer
}

func (l *lines) take(_ context.Context, in ingest.Input) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got.Write(in.Payload)
	return nil
}

func (l *lines) wait(t *testing.T, want string) {
	t.Helper()
	for range 500 {
		l.mu.Lock()
		got := l.got.String()
		l.mu.Unlock()
		if got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("got %q, want %q", l.got.String(), want)
}

func run(t *testing.T, url string, connect bool) (*Listener, *lines) {
	t.Helper()
	into := &lines{}
	l, err := New(Options{Name: "x", URL: url, Connect: connect, Take: into.take, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("did not end")
		}
	})
	return l, into
}

func TestListensOverTCPAndUDP(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		l, into := run(t, network+"://127.0.0.1:0", false)
		c, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "one\ntwo\n")
		into.wait(t, "one\ntwo\n")
		fmt.Fprint(c, "three") // without an end of line
		if network == "tcp" {
			time.Sleep(50 * time.Millisecond)
		}
		c.Close()
		into.wait(t, "one\ntwo\nthree")
	}
}

func TestALineWithoutEndClosesItsConnectionOnly(t *testing.T) {
	l, into := run(t, "tcp://127.0.0.1:0", false)
	bad, _ := net.Dial("tcp", l.Addr().String())
	good, _ := net.Dial("tcp", l.Addr().String())
	defer good.Close()
	fmt.Fprint(bad, strings.Repeat("x", 2*maxLine))
	bad.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := bad.Read(make([]byte, 1)); err == nil {
		t.Error("the connection stays open")
	}
	fmt.Fprint(good, "fine\n")
	into.wait(t, "fine\n")
}

func TestConnectsAgain(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_, into := run(t, "tcp://"+server.Addr().String(), true)
	for _, text := range []string{"one\n", "two\n"} {
		c, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, text)
		c.Close()
	}
	into.wait(t, "one\ntwo\n")
}

func TestBadAddresses(t *testing.T) {
	for _, c := range []struct {
		url     string
		connect bool
	}{{"127.0.0.1:1", false}, {"http://a:1", false}, {"tcp://a", false}, {"udp://127.0.0.1:1", true}} {
		if _, err := New(Options{URL: c.url, Connect: c.connect}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
