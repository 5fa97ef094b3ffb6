package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/gorilla/websocket"
)

func TestPublishPacketIsMQTT(t *testing.T) {
	l := load{prefix: "bench", publishers: 1, devices: 1}
	raw := publishPacket(l.topic(7), 513, l.reading(7, 3))
	packet, err := packets.ReadPacket(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := packet.(*packets.PublishPacket)
	if p.Qos != 1 || p.MessageID != 513 || p.TopicName != "ioc/v1/devices/bench-000007/readings" || !bytes.Contains(p.Payload, []byte(`"seq":4`)) {
		t.Fatalf("read back as %v", p)
	}
	if n := len(p.Payload); n < 180 || n > 230 {
		t.Fatalf("a reading has %d bytes, the title of the table says about 200", n)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
	}
}

func TestTableNamesWhatWasNotMeasured(t *testing.T) {
	r := newResults()
	r.add("a", map[string]float64{"x/s": 20_000}, nil)
	r.add("b", map[string]float64{"x/s": 40_000}, nil)
	r.add("c", nil, errNoCounter)
	var out strings.Builder
	r.write(&out, "title", []string{"a", "b", "c"}, []string{"x/s"}, "a")
	for _, want := range []string{"| a | 20.0k [20.0k–20.0k] | 1.00 | 1 |", "| b | 40.0k [40.0k–40.0k] | 2.00 | 1 |", "| c | not measured: the counter is not there |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestBannerIsFoundInPieces(t *testing.T) {
	b := &banner{seen: make(chan struct{})}
	for _, piece := range []string{"Hải Đăng\nopen the wall\n{\"http\":\"http://127.0.0.1:1\",", "\"mqtt\":\"tcp://127.0.0.1:2\",\"data\":\"/x\"}", "\n"} {
		b.Write([]byte(piece))
	}
	select {
	case <-b.seen:
	default:
		t.Fatal("not seen")
	}
	if b.HTTP != "http://127.0.0.1:1" || hostOf(b.MQTT) != "127.0.0.1:2" {
		t.Fatalf("read %q and %q", b.HTTP, b.MQTT)
	}
}

func TestCounterReadsPrometheus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("# TYPE haidang_ingest_messages_total counter\nhaidang_ingest_messages_total{outcome=\"duplicate\"} 3\nhaidang_ingest_messages_total{outcome=\"stored\"} 1.2e+06\n"))
	}))
	defer server.Close()
	if n, err := haidangStored(server.URL); n != 1_200_000 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
}

func TestWallCountsOnlyLiveDeltasOfTheLoad(t *testing.T) {
	begin := time.Now().Truncate(time.Millisecond)
	upgrader := websocket.Upgrader{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		item := func(kind, id string, at time.Time) map[string]any {
			return map[string]any{"k": kind, "id": id, "ts": at.UTC().Format(time.RFC3339Nano)}
		}
		conn.WriteJSON(map[string]any{"type": "snapshot", "channel": "map", "items": []any{item("d", "bench-1", begin)}})
		conn.WriteJSON(map[string]any{"type": "delta", "channel": "map", "items": []any{
			item("d", "bench-1", begin), item("d", "bench-2", begin.Add(-time.Second)), item("d", "qb-air-01", begin), map[string]any{"k": "x", "id": "bench-3"},
			map[string]any{"k": "d", "id": "bench-4", "ts": begin.UnixMilli()},
		}})
	}))
	defer server.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w := &wall{prefix: "bench", from: begin}
	w.watch(conn)
	if len(w.delays) != 2 {
		t.Fatalf("counted %d deliveries, want 2: %v", len(w.delays), w.delays)
	}
}
