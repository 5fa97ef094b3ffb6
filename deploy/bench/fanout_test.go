package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFramesAreReadInPieces(t *testing.T) {
	var stream []byte
	frame := func(first byte, payload string) {
		switch n := len(payload); {
		case n < 126:
			stream = append(stream, first, byte(n))
		case n < 1<<16:
			stream = append(stream, first, 126, byte(n>>8), byte(n))
		default:
			stream = append(stream, first, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		}
		stream = append(stream, payload...)
	}
	frame(0x81, "#")
	frame(0x89, "##") // a ping
	frame(0x81, "")
	frame(0x81, strings.Repeat("x#", 4480)) // 0x2300 bytes: the mark is in the length too
	frame(0x81, strings.Repeat("#", 1<<16))
	for _, size := range []int{1, 2, 3, 7, 1000, len(stream)} {
		var f frames
		for p := stream; len(p) > 0; p = p[min(size, len(p)):] {
			f.take(p[:min(size, len(p))])
		}
		if f.frames != 4 || f.items != 1+4480+1<<16 {
			t.Errorf("in pieces of %d: %d frames, %d items", size, f.frames, f.items)
		}
	}
}

func TestFramesOfTheCrowdAreCounted(t *testing.T) {
	c := newCrowd()
	server := httptest.NewServer(http.HandlerFunc(c.enter))
	defer server.Close()
	conn, r, err := dialWebsocket(hostOf(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for entered := false; !entered; time.Sleep(time.Millisecond) {
		c.mu.RLock()
		entered = len(c.queues) == 1
		c.mu.RUnlock()
	}
	for n := range 3 {
		c.broadcast(changedItem(n), true)
	}
	var f frames
	for buf := make([]byte, 1024); f.frames < 3 || f.left > 0; {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		f.take(buf[:n])
	}
	if f.items != 3 {
		t.Fatalf("counted %d items", f.items)
	}
}

// Both fan-outs must send about as many bytes a change, each marked once.
func TestChangesHaveAboutThreeHundredBytes(t *testing.T) {
	fits := func(bytes, items int) bool { return items > 0 && bytes/items >= 280 && bytes/items <= 320 }
	if item := changedItem(1234); !fits(len(item), 1) || bytes.Count(item, []byte{itemMark}) != 1 || !json.Valid(item) {
		t.Errorf("%d bytes: %s", len(item), item)
	}
	ctx, stop := context.WithCancel(t.Context())
	h, err := openHub(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.db.Close()
	server := httptest.NewServer(h)
	defer server.Close()
	var wg sync.WaitGroup
	wg.Go(func() { h.run(ctx) })
	defer wg.Wait()
	defer stop()
	conn, r, err := dialWebsocket(hostOf(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var f frames
	read := 0
	buf := make([]byte, 64<<10)
	hear := func(atLeast int64) {
		for f.items < atLeast || f.left > 0 {
			n, err := r.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			f.take(buf[:n])
			read += n
		}
	}
	hear(floodFleet) // the snapshot, of devices that never spoke
	if _, err := get(server.URL + "/begin"); err != nil {
		t.Fatal(err)
	}
	hear(3 * floodFleet)
	shown := f.items
	read = 0
	hear(4 * floodFleet)
	if !fits(read, int(f.items-shown)) {
		t.Errorf("%d changes in %d bytes", f.items-shown, read)
	}
}
