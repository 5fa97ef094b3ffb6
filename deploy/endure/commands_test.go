package endure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/ingest/ingesttest"
	"haidang/ingest/mqtt"
)

// Commands that were taken survive kills at any moment: each reaches its device
// and its answer is shown.
func TestCommandsSurviveKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Run("mosquitto", func(t *testing.T) { commandsSurviveKills(t, false) })
	t.Run("embedded broker", func(t *testing.T) { commandsSurviveKills(t, true) })
}

func commandsSurviveKills(t *testing.T, embedded bool) {
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "haidang.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	mqttAddr, httpAddr := freeAddress(t), freeAddress(t)
	brokerLine, brokerURL := "open = true", "tcp://"+mqttAddr
	if !embedded {
		m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{})
		brokerLine, brokerURL = fmt.Sprintf("url = %q", m.URL), m.URL
	}
	token := sha256.Sum256([]byte("x"))
	config := writeFile(t, filepath.Join(dir, "haidang.toml"), "data = %q\nhttp = %q\nmqtt = %q\nunknown_devices = \"register\"\n[limits]\nreads = \"\"\nwrites = \"\"\n[broker]\n%s\n[[tokens]]\nname = \"a\"\nrole = \"admin\"\nsha256 = %q\n",
		filepath.Join(dir, "data"), httpAddr, mqttAddr, brokerLine, hex.EncodeToString(token[:]))
	p := &program{t: t, binary: build(t, dir), config: config, url: "http://" + httpAddr, log: log}
	p.start()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	p.ready(30 * time.Second)

	d := newObedient(t, brokerURL)
	for p.devices() == 0 { // it registers itself by speaking
		time.Sleep(20 * time.Millisecond)
	}
	var ids []string
	kills := 0
	for n := range 30 {
		ids = append(ids, p.tell(d.id, fmt.Sprintf("order-%d", n)))
		if n%5 == 4 {
			time.Sleep(time.Duration(n%7) * 10 * time.Millisecond) // now before it was sent, now after
			p.end(syscall.SIGKILL)
			p.start()
			p.ready(60 * time.Second)
			kills++
		}
	}
	for _, id := range ids {
		for end := time.Now().Add(60 * time.Second); p.state(d.id, id) != "succeeded"; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("command %s is %s; the device heard it %d times", id, p.state(d.id, id), d.heard()[id])
			}
		}
	}
	again := 0
	for id, n := range d.heard() {
		if !slices.Contains(ids, id) {
			t.Errorf("the device heard %q, which nobody gave", id)
		}
		again += n - 1
	}
	// Killed between sending and writing that down, a command goes out twice.
	if again > kills {
		t.Errorf("%d commands came a second time, after %d kills", again, kills)
	}
}

// call asks the API and decodes the answer.
func (p *program) call(method, path, body string, into any) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode >= 300 {
		p.t.Fatalf("%s %s: %d %v", method, path, res.StatusCode, err)
	}
}

func (p *program) devices() int {
	p.t.Helper()
	var list struct{ Items []any }
	p.call("GET", "/api/v1/devices", "", &list)
	return len(list.Items)
}

func (p *program) tell(device, name string) string {
	p.t.Helper()
	var c struct{ ID string }
	p.call("POST", "/api/v1/devices/"+device+"/commands", fmt.Sprintf(`{"name":%q}`, name), &c)
	return c.ID
}

func (p *program) state(device, id string) string {
	p.t.Helper()
	var c struct{ State string }
	p.call("GET", "/api/v1/devices/"+device+"/commands/"+id, "", &c)
	return c.State
}

// obedient is a device that answers each command as often as it hears it, for an
// answer may be lost, and speaks each second.
type obedient struct {
	id     string
	client paho.Client
	mu     sync.Mutex
	times  map[string]int // by command
}

func (d *obedient) heard() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.times)
}

func newObedient(t *testing.T, url string) *obedient {
	d := &obedient{id: "obedient-01", times: map[string]int{}}
	root := "ioc/v1/devices/" + d.id + "/"
	d.client = paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID(d.id).SetCleanSession(false).SetResumeSubs(true).
		SetAutoReconnect(true).SetMaxReconnectInterval(300*time.Millisecond).SetOrderMatters(false).SetStore(mqtt.NewStore()).SetWill(root+"state", "offline", 1, true).
		SetOnConnectHandler(func(c paho.Client) {
			c.Subscribe(root+"commands/+", 1, func(c paho.Client, m paho.Message) {
				var w struct{ ID string }
				json.Unmarshal(m.Payload(), &w)
				d.mu.Lock()
				d.times[w.ID]++
				d.mu.Unlock()
				c.Publish(root+"replies/"+m.Topic()[strings.LastIndexByte(m.Topic(), '/')+1:], 1, false, fmt.Sprintf(`{"id":%q,"status":"succeeded"}`, w.ID))
			})
			c.Publish(root+"state", 1, true, "online")
		}))
	if token := d.client.Connect(); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	tick := time.NewTicker(time.Second)
	end := make(chan struct{})
	go func() {
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				d.client.Publish(root+"readings", 1, false, `{"values":{"n":1}}`)
			}
		}
	}()
	t.Cleanup(func() { close(end); tick.Stop(); d.client.Disconnect(50) })
	return d
}
