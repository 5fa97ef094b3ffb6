package endure

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"haidang/ingest/mqtt"
)

// publisher is a device that numbers its readings and remembers which of them
// the broker acknowledged. Its library sends again what was not.
type publisher struct {
	paho.Store
	id     string
	client paho.Client
	epoch  time.Time     // fix time of the first
	step   time.Duration // and from one to the next
	sent   int64
	acked  atomic.Int64 // how many
	mu     sync.Mutex
	ack    map[int64]struct{} // which
	open   map[string]int64   // what waits for its acknowledgement, by the library's key
}

// Put implements paho.Store.
func (p *publisher) Put(key string, packet packets.ControlPacket) {
	if m, ok := packet.(*packets.PublishPacket); ok {
		var reading struct{ Seq int64 }
		if json.Unmarshal(m.Payload, &reading) == nil {
			p.mu.Lock()
			p.open[key] = reading.Seq
			p.mu.Unlock()
		}
	}
	p.Store.Put(key, packet)
}

// Del implements paho.Store: the library forgets what is acknowledged. Its tokens
// do not tell: when it connects again, it completes them without an error.
func (p *publisher) Del(key string) {
	p.mu.Lock()
	if n, ok := p.open[key]; ok {
		delete(p.open, key)
		p.ack[n] = struct{}{}
		p.acked.Add(1)
	}
	p.mu.Unlock()
	p.Store.Del(key)
}

func (p *publisher) waits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// connect makes the nth device, which sends perSecond. Every other one sends
// what it measured an hour ago: both live and late readings must be kept.
func connect(t *testing.T, url string, n, perSecond int) *publisher {
	t.Helper()
	p := &publisher{id: fmt.Sprintf("endure-%02d", n), Store: mqtt.NewStore(), ack: map[int64]struct{}{}, open: map[string]int64{}}
	// A fix time of its own for each, so that InfluxDB can count them.
	p.epoch, p.step = time.Now().Truncate(time.Millisecond), max(time.Second/time.Duration(perSecond), time.Millisecond).Truncate(time.Millisecond)
	if n%2 == 1 {
		p.epoch = p.epoch.Add(-time.Hour)
	}
	p.client = paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID(p.id).SetCleanSession(false).
		SetAutoReconnect(true).SetMaxReconnectInterval(500 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(200 * time.Millisecond).
		SetKeepAlive(10 * time.Second).SetPingTimeout(5 * time.Second).SetOrderMatters(false).SetStore(p))
	if token := p.client.Connect(); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("%s: %v", p.id, token.Error())
	}
	return p
}

// run publishes at a steady rate, with at most window on their way, until ctx
// ends, and then waits for the last acknowledgements.
func (p *publisher) run(ctx context.Context, perSecond int) {
	const window = 200
	room := make(chan struct{}, window)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	owed := 0.0
	for last := time.Now(); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			owed = min(owed+now.Sub(last).Seconds()*float64(perSecond), float64(perSecond))
			last = now
			for ; owed >= 1 && ctx.Err() == nil; owed-- {
				select {
				case room <- struct{}{}:
					p.publish(room)
				case <-ctx.Done():
				}
			}
		}
	}
	for end := time.Now().Add(2 * time.Minute); p.waits() > 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
}

func (p *publisher) publish(room chan struct{}) {
	n := p.sent
	p.sent++
	ts := p.epoch.Add(time.Duration(n) * p.step).UnixMilli()
	payload := fmt.Sprintf(`{"ts":%d,"seq":%d,"values":{"n":%d,"pm25":%d.5,"temp":28.4,"humidity":71}}`, ts, n, n, n%100)
	token := p.client.Publish("ioc/v1/devices/"+p.id+"/readings", 1, false, payload)
	go func() {
		<-token.Done()
		<-room
	}()
}
