package broker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
	"haidang/devices/statedb/statedbtest"
	"haidang/ingest"
	"haidang/ingest/broker"
	"haidang/ingest/ingesttest"
	"haidang/ingest/mosquitto"
)

// doors are the credentials of devices, in a real database.
type doors struct {
	*credentials.Store
	mu   sync.Mutex
	shut map[devices.ID]error
}

func openDoors(t testing.TB, ids ...devices.ID) *doors {
	t.Helper()
	ctx := context.Background()
	db := statedbtest.Open(t)
	r, err := devices.NewRegistry(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if _, err := r.Discover(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	trail, err := audit.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	d := &doors{shut: map[devices.ID]error{}}
	allowed := func(id devices.ID) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.shut[id]
	}
	d.Store, err = credentials.Open(ctx, db, credentials.Options{Registry: r, Audit: trail, Allowed: allowed, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *doors) issue(t testing.TB, id devices.ID, terms credentials.Terms) (*credentials.Credential, string) {
	t.Helper()
	c, secret, err := d.Issue(t.Context(), id, terms)
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// suspend shuts a device out.
func (d *doors) suspend(id devices.ID) {
	d.mu.Lock()
	d.shut[id] = errors.New("suspended")
	d.mu.Unlock()
	d.Changed(id)
}

// kept are topics and payloads that came somewhere.
type kept struct {
	mu  sync.Mutex
	all map[string]bool
}

func (k *kept) add(topic string, payload []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all[topic+" "+string(payload)] = true
}

func (k *kept) has(what string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[what]
}

func (k *kept) list() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.all))
}

// city is a broker with devices, of which "thief" has been stolen.
type city struct {
	*doors
	name, url string
	secrets   map[devices.ID]string
	took      *kept // what devices published and the broker took
	say       func(topic string, retained bool, payload string)
	ear       *paho.ClientOptions // who may hear all of ioc/v1
	clients   int
}

// cities are both brokers, with the same devices, and more of them that are away.
func cities(t testing.TB, away ...devices.ID) []*city {
	found := func(name string) *city {
		c := &city{name: name, doors: openDoors(t, append(away, "victim", "thief", "gw")...), secrets: map[devices.ID]string{}, took: &kept{all: map[string]bool{}}}
		for _, id := range []devices.ID{"victim", "thief", "gw"} {
			_, c.secrets[id] = c.issue(t, id, credentials.Terms{})
		}
		if _, err := c.IssueSecrets(t.Context(), away); err != nil {
			t.Fatal(err)
		}
		return c
	}
	run := func(fn func(context.Context) error) {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { fn(ctx) })
		t.Cleanup(func() { cancel(); wg.Wait() })
	}
	feeds, grants := []string{"plant/+/data"}, map[string][]string{"gw": {"plant/+/data"}}

	inside := found("embedded")
	b, got := start(t, broker.Options{Gate: inside.doors, Feeds: feeds, Grants: grants})
	t.Cleanup(b.Close)
	inside.Watch(b.Recheck)
	b.Ready()
	inside.url = "tcp://" + b.Addr()
	server := speak(t, b)
	t.Cleanup(server.Stop)
	inside.say = func(topic string, retained bool, payload string) { server.Publish(topic, retained, []byte(payload)) }
	inside.ear = inside.client("ear").SetUsername(broker.InternalUser).SetPassword(b.ServerPassword())
	run(func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case m := <-got:
				inside.took.add(m.Topic, m.Payload)
				if m.Done != nil {
					m.Done(ingest.Outcome{})
				}
			}
		}
	})
	run(inside.Run)

	outside := found("mosquitto")
	dir := t.TempDir()
	o := mosquitto.Options{Dir: dir, Username: "haidang-ingest", Password: "người giữ đèn", Filters: feeds, Grants: grants, Logins: outside.Logins}
	// One more user sees what the broker took, on every topic.
	ingesttest.WriteMosquittoUsers(t, filepath.Join(dir, mosquitto.LocalPasswordFile), map[string]string{"spy": "spy", "ear": "ear"})
	ingesttest.WriteFile(t, filepath.Join(dir, mosquitto.LocalACLFile), "user spy\ntopic read #\n\nuser ear\ntopic read #\n")
	if n, missing, err := mosquitto.Write(o); err != nil || n != 3+len(away) || missing != 0 {
		t.Fatalf("%d, %d: %v", n, missing, err)
	}
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{PasswordFile: filepath.Join(dir, mosquitto.PasswordFile), ACLFile: filepath.Join(dir, mosquitto.ACLFile), UsernameAsClientID: true})
	outside.url = m.URL
	k := mosquitto.NewKeeper(o, m.ReloadCommand(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	outside.Watch(k.Changed)
	run(k.Run)
	run(outside.Run)
	spy := device(t, outside.client("spy").SetUsername("spy").SetPassword("spy").SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { outside.took.add(m.Topic(), m.Payload()) }))
	t.Cleanup(func() { spy.Disconnect(0) })
	done(t, spy.Subscribe("#", 1, nil))
	outside.ear = outside.client("ear").SetUsername("ear").SetPassword("ear")
	lamp := device(t, outside.client("x").SetUsername("haidang-ingest").SetPassword("người giữ đèn"))
	t.Cleanup(func() { lamp.Disconnect(0) })
	outside.say = func(topic string, retained bool, payload string) { done(t, lamp.Publish(topic, 1, retained, payload)) }
	return []*city{inside, outside}
}

// client are options of a client that does not come again by itself.
func (c *city) client(clientID string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(c.url).SetClientID(clientID).SetConnectTimeout(5 * time.Second).SetAutoReconnect(false).SetOrderMatters(false)
}

// as are options of a device that signs in with its first secret.
func (c *city) as(id devices.ID) *paho.ClientOptions { return c.with(string(id), c.secrets[id]) }

// with gives each client an id of its own: who comes again and again with one id
// has to wait at NATS.
func (c *city) with(username, secret string) *paho.ClientOptions {
	c.clients++
	return c.client(fmt.Sprint(username, ":", c.clients)).SetUsername(username).SetPassword(secret)
}

// lets says whether somebody is let in.
func (c *city) lets(o *paho.ClientOptions) bool {
	client := paho.NewClient(o)
	token := client.Connect()
	token.Wait()
	client.Disconnect(0)
	return token.Error() == nil
}

// waitFor is longer than NATS waits for an answer, 30 s: what it sent to a
// connection that was just ending comes again only then.
const waitFor = 45 * time.Second

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(waitFor); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
