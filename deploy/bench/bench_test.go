package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
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

func TestConfigurationsSayWhatASystemIs(t *testing.T) {
	written := func(name string, tune func(*ports)) string {
		p := newPorts(t.TempDir())
		tune(&p)
		path, err := p.write(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, test := range []struct {
		name       string
		tune       func(*ports)
		has, lacks string
	}{
		{"haidang.toml", func(*ports) {}, `url = "tcp://127.0.0.1:`, "[influxdb]"},
		{"haidang.toml", func(p *ports) { p.Inside = true }, "open = true", "url ="},
		{"haidang.toml", func(p *ports) { p.Bucket = "bench/autogen" }, "bucket = \"bench/autogen\"", "open"},
		{"influxdb.conf", func(*ports) {}, `index-version = "tsi1"`, "cold-duration"},
		{"influxdb.conf", func(p *ports) { p.Cold = true }, `compact-full-write-cold-duration = "10s"`, "{{"},
	} {
		if text := written(test.name, test.tune); !strings.Contains(text, test.has) || strings.Contains(text, test.lacks) {
			t.Errorf("%s has no %q, or %q:\n%s", test.name, test.has, test.lacks, text)
		}
	}
}

func TestPartsAreChosen(t *testing.T) {
	b := &bench{fleet: 1, systems: []string{""}, parts: []string{"disk", "delay"}}
	some, err := b.chosen()
	if err != nil || len(some) != 3 || some[0].part != "delay" || some[2].part != "disk" {
		t.Errorf("chose %v, %v", some, err)
	}
	b.systems = []string{"InfluxDB"}
	if some, _ = b.chosen(); len(some) != 1 || len(some[0].contenders) != 1 || some[0].contenders[0].name != influxAlone {
		t.Errorf("chose %v", some)
	}
	b.parts = []string{"disks"}
	if _, err := b.chosen(); err == nil {
		t.Error("chose a part that does not exist")
	}
	b.parts, b.systems = []string{"all"}, []string{""}
	parts := map[string]bool{}
	some, _ = b.chosen()
	for _, m := range some {
		parts[m.part] = true
		if m.reference != "" && !slices.ContainsFunc(m.contenders, func(c contender) bool { return c.name == m.reference }) {
			t.Errorf("%s: the reference %s is not measured", m.title, m.reference)
		}
	}
	if len(parts) != 11 {
		t.Errorf("all parts are %v", parts)
	}
}
