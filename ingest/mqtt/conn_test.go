package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// pair is two ends of a TCP connection.
func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestLumpedConnectionCarriesEverythingInOrder(t *testing.T) {
	a, b := pair(t)
	l := lump(a)
	var sent bytes.Buffer
	go func() {
		for i := range 20_000 {
			p := bytes.Repeat([]byte{byte(i)}, 1+i%150)
			sent.Write(p)
			if n, err := l.Write(p); n != len(p) || err != nil {
				t.Errorf("wrote %d of %d: %v", n, len(p), err)
				return
			}
		}
		l.Close() // what waits is written
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent.Bytes()) {
		t.Errorf("%d bytes came of %d: %v", len(got), sent.Len(), err)
	}
}

func TestLumpedConnectionTellsThatItIsOver(t *testing.T) {
	a, b := pair(t)
	l := lump(a)
	go b.Write([]byte("hello"))
	one := make([]byte, 5)
	if _, err := io.ReadFull(l, one); err != nil || string(one) != "hello" {
		t.Fatalf("read %q: %v", one, err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := l.Read(one)
		read <- err
	}()
	time.Sleep(20 * time.Millisecond)
	l.Close()
	select {
	case err := <-read:
		if err == nil {
			t.Error("a read ends without an error")
		}
	case <-time.After(2 * time.Second):
		t.Error("a read goes on after Close")
	}
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := l.Write([]byte("x")); errors.Is(err, net.ErrClosed) {
			break
		} else if time.Now().After(end) {
			t.Fatalf("writing after Close: %v", err)
		}
	}
}

// The other side does not read: a write waits, and ends when it goes away.
func TestLumpedConnectionIsBounded(t *testing.T) {
	a, b := pair(t)
	l := lump(a)
	done := make(chan int)
	go func() {
		n := 0
		for range 1000 {
			k, err := l.Write(make([]byte, 64<<10))
			if n += k; err != nil {
				break
			}
		}
		done <- n
	}()
	select {
	case n := <-done:
		t.Fatalf("%d bytes were taken, and nobody reads", n)
	case <-time.After(300 * time.Millisecond):
	}
	b.Close()
	select {
	case n := <-done:
		if n > 32<<20 {
			t.Errorf("%d bytes were taken, and nobody reads", n)
		}
	case <-time.After(5 * time.Second):
		t.Error("a write goes on although the other side is gone")
	}
}
