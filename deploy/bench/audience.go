package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// readFanOut connects screens that look at the map and count what they are
// sent; it listens once all are connected. Pings are not answered: a round is
// shorter than any server's patience. Arguments: server, address of the
// counts, how many.
func readFanOut(args []string) error {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("number of screens: %w", err)
	}
	var items, all atomic.Int64
	var g errgroup.Group
	g.SetLimit(dialAtOnce)
	for range n {
		g.Go(func() error {
			conn, r, err := dialWebsocket(args[0])
			if err != nil {
				return err
			}
			go func() { fatal(count(conn, r, &items, &all)) }()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return http.ListenAndServe(args[1], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "items %d\nframes %d\n", items.Load(), all.Load())
	}))
}

// dialWebsocket shakes hands by hand and asks for the map. r holds what came
// with the server's answer.
func dialWebsocket(address string) (net.Conn, *bufio.Reader, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(conn, 512)
	err = shakeHands(conn, r, address)
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("open websocket: %w", err)
	}
	return conn, r, nil
}

func shakeHands(conn net.Conn, r *bufio.Reader, address string) error {
	if _, err := fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", address); err != nil {
		return err
	}
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(status, " 101 ") {
		return errors.New(strings.TrimSpace(status))
	}
	for line := status; strings.TrimSpace(line) != ""; {
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
	}
	_, err = conn.Write(maskedText(lookAtMap))
	return err
}

// count reads until the connection ends, which no server does of itself.
func count(conn net.Conn, r *bufio.Reader, items, all *atomic.Int64) error {
	defer conn.Close()
	var f frames
	early, _ := r.Peek(r.Buffered())
	f.take(early)
	buf := make([]byte, 32<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return fmt.Errorf("a screen was cut off: %w", err)
		}
		items0, frames0 := f.items, f.frames
		f.take(buf[:n])
		items.Add(f.items - items0)
		all.Add(f.frames - frames0)
	}
}
