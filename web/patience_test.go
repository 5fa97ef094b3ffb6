package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A body that does not come is not waited for without end; what comes in time is
// answered, however long that takes.
func TestBodiesAreNotAwaitedForEver(t *testing.T) {
	h := newHouse(t, nil)
	h.srv.bodyWait = 300 * time.Millisecond
	send := func(body string) (*http.Response, error) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(conn, "POST /api/v1/devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\nContent-Length: 60\r\n\r\n%s", body)
		return http.ReadResponse(bufio.NewReader(conn), nil)
	}
	res, err := send(`{"id":`)
	if err != nil || res.StatusCode != 400 {
		t.Errorf("half a body: %v %v", res, err)
	}
	const whole = `{"id":"d1","type":"air_station","name":"x"}`
	if res, err = send(whole + strings.Repeat(" ", 60-len(whole))); err != nil || res.StatusCode != 201 {
		t.Errorf("a whole one: %v %v", res, err)
	}
	if res != nil {
		io.Copy(io.Discard, res.Body)
	}
}
