package mqtt

import (
	"log/slog"
	"testing"
	"time"
)

// A broker that is away for days is tried every few seconds: what was made for a
// try is not held until the source ends, that of the connection is told of it.
func TestNumbersEndWithTheirConnection(t *testing.T) {
	s := New(Options{URL: "tcp://127.0.0.1:1", ClientID: "a", Log: slog.New(slog.DiscardHandler)}, nil)
	s.renumber(nil, nil)
	first := s.numbers.Load()
	s.renumber(nil, nil)
	last := s.numbers.Load()
	if first == last || !last.take(7) {
		t.Fatal("a new connection has no identifiers of its own")
	}
	waits := make(chan bool)
	go func() { waits <- last.take(7) }()
	s.end()
	select {
	case taken := <-waits:
		if taken {
			t.Error("an identifier was taken that still waits")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("who waits for an identifier is not told of the end")
	}
	if first.unhook() || !first.take(7) {
		t.Error("the first connection's are still held by the source")
	}
}
