package broker_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"haidang/devices"
	"haidang/devices/credentials"
)

// Both brokers refuse the same forgeries, and allow what is right.
func TestBothBrokersRefuseTheSameForgeries(t *testing.T) {
	const victims = "ioc/v1/devices/victim/"
	for _, c := range cities(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Run("what is right", func(t *testing.T) { rightThings(t, c) })
			t.Run("another's topics", func(t *testing.T) {
				for _, topic := range []string{
					victims + "readings", victims + "events", victims + "state", victims + "config", victims + "config/reported", victims + "commands/reboot",
					victims + "replies/1", victims + "errors", "ioc/v1/devices/VICTIM/readings", "ioc/v1/devices/thief", "ioc/v1/devices/thief/errors", "ioc/v1/devices/thief/config",
					"ioc/v1/devices/thief/commands/x", "ioc/v1/devices/thief/readings/x", "ioc/v1/devices//readings", "ioc/v1/devices/thief/../victim/readings", "ioc/v1/devices/$victim/readings",
					"ioc/v1/reports", "ioc/v1/live/alerts", "ioc/v1/live/work-orders", "plant/1/data", "other", "/ioc/v1/devices/thief/readings",
					"$SYS/broker/version", "$MQTT/msgs/ioc/v1/devices/victim/readings", "$MQTT/sub/x", "$JS/API/STREAM/LIST", "$share/g/" + victims + "readings",
				} {
					for qos := range byte(2) {
						for _, retained := range []bool{false, true} {
							// A broker may close the connection of who tries.
							client := device(t, c.as("thief"))
							client.Publish(topic, qos, retained, "forged").WaitTimeout(50 * time.Millisecond)
							client.Disconnect(10)
						}
					}
				}
				c.nothingForged(t)
			})
			t.Run("wildcards in a topic", func(t *testing.T) {
				for _, topic := range []string{"ioc/v1/devices/+/readings", "ioc/v1/devices/#", "#"} {
					client := device(t, c.as("thief"))
					client.Publish(topic, 1, false, "forged").WaitTimeout(50 * time.Millisecond)
					client.Disconnect(10)
				}
				c.nothingForged(t)
			})
			t.Run("last wills", func(t *testing.T) {
				for _, topic := range []string{victims + "state", victims + "readings", "ioc/v1/live/alerts", "ioc/v1/devices/thief/config", "$SYS/broker/version"} {
					for _, retained := range []bool{false, true} {
						line := &cut{}
						client := paho.NewClient(c.as("thief").SetWill(topic, "forged", 1, retained).SetCustomOpenConnectionFn(line.dial))
						if token := client.Connect(); token.WaitTimeout(5*time.Second) && token.Error() == nil {
							line.Close() // as if it were pulled
						}
						client.Disconnect(0)
					}
				}
				c.nothingForged(t)
			})
			t.Run("listening to others", func(t *testing.T) { listening(t, c) })
			t.Run("another's session", func(t *testing.T) { hijack(t, c) })
			t.Run("who is not who it says", func(t *testing.T) {
				for name, o := range map[string]*paho.ClientOptions{
					"another's name":      c.client("thief").SetUsername("victim").SetPassword(c.secrets["thief"]),
					"no name":             c.client("thief"),
					"no password":         c.client("thief").SetUsername("thief"),
					"another's password":  c.client("thief").SetUsername("thief").SetPassword(c.secrets["victim"]),
					"a hash":              c.client("thief").SetUsername("thief").SetPassword("$7$1$"),
					"an unknown device":   c.client("nobody").SetUsername("nobody").SetPassword(c.secrets["thief"]),
					"a name with a slash": c.client("thief").SetUsername("thief/").SetPassword(c.secrets["thief"]),
					"a wildcard":          c.client("thief").SetUsername("+").SetPassword(c.secrets["thief"]),
					"a second slot":       c.client("thief").SetUsername("thief~2").SetPassword(c.secrets["thief"]),
				} {
					if c.lets(o) {
						t.Errorf("let in with %s", name)
					}
				}
			})
			t.Run("credentials that do not hold", func(t *testing.T) { ends(t, c) })
			t.Run("suspended", func(t *testing.T) {
				client := device(t, c.as("thief"))
				c.suspend("thief")
				eventually(t, "its session ends or is empty", func() bool { return !client.IsConnected() })
				eventually(t, "it is refused", func() bool { return !c.lets(c.as("thief")) })
				if !c.lets(c.as("victim")) {
					t.Error("another is refused too")
				}
			})
		})
	}
}

// nothingForged says after an honest message has come through that no forged one
// did.
func (c *city) nothingForged(t *testing.T) {
	t.Helper()
	client := device(t, c.as("victim"))
	defer client.Disconnect(10)
	mark := fmt.Sprint("honest ", time.Now().UnixNano())
	done(t, client.Publish("ioc/v1/devices/victim/readings", 1, false, mark))
	eventually(t, "an honest message comes", func() bool { return c.took.has("ioc/v1/devices/victim/readings " + mark) })
	// Who comes later is given what is retained, and then a mark of ours.
	retained := &kept{all: map[string]bool{}}
	ear := device(t, c.ear.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { retained.add(m.Topic(), m.Payload()) }))
	defer ear.Disconnect(10)
	done(t, ear.Subscribe("ioc/v1/#", 1, nil))
	c.say("ioc/v1/live/alerts", false, mark)
	eventually(t, "what is retained comes", func() bool { return retained.has("ioc/v1/live/alerts " + mark) })
	for _, m := range append(c.took.list(), retained.list()...) {
		if strings.HasSuffix(m, "forged") {
			t.Errorf("taken: %s", m)
		}
	}
}

// rightThings are what a device does every day.
func rightThings(t *testing.T, c *city) {
	told := &kept{all: map[string]bool{}}
	c.say("ioc/v1/devices/victim/config", true, "settings")
	eventually(t, "the settings are retained", func() bool {
		retained := &kept{all: map[string]bool{}}
		ear := device(t, c.ear.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { retained.add(m.Topic(), m.Payload()) }))
		defer ear.Disconnect(10)
		done(t, ear.Subscribe("ioc/v1/devices/victim/config", 1, nil))
		time.Sleep(50 * time.Millisecond)
		return retained.has("ioc/v1/devices/victim/config settings")
	})
	client := device(t, c.as("victim").SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { told.add(m.Topic(), m.Payload()) }))
	defer client.Disconnect(10)
	for _, topic := range []string{"config", "commands/+", "errors"} {
		done(t, client.Subscribe("ioc/v1/devices/victim/"+topic, 1, nil))
	}
	for _, leaf := range []string{"readings", "events", "state", "config/reported", "replies/7"} {
		for qos := range byte(2) {
			done(t, client.Publish("ioc/v1/devices/victim/"+leaf, qos, leaf == "state", fmt.Sprint(leaf, qos)))
			eventually(t, leaf+" is taken", func() bool { return c.took.has(fmt.Sprint("ioc/v1/devices/victim/", leaf, " ", leaf, qos)) })
		}
	}
	c.say("ioc/v1/devices/victim/commands/reboot", false, "now")
	c.say("ioc/v1/devices/victim/errors", false, "why")
	for _, m := range []string{"config settings", "commands/reboot now", "errors why"} {
		eventually(t, "it hears "+m, func() bool { return told.has("ioc/v1/devices/victim/" + m) })
	}
	gateway := device(t, c.as("gw"))
	defer gateway.Disconnect(10)
	done(t, gateway.Publish("plant/1/data", 1, false, "granted"))
	eventually(t, "a granted feed is taken", func() bool { return c.took.has("plant/1/data granted") })
	second, secret := c.issue(t, "gw", credentials.Terms{})
	eventually(t, "a second credential lets in", func() bool {
		return c.lets(c.with(second.Username(), secret))
	})
	if !gateway.IsConnected() || !c.lets(c.as("gw")) {
		t.Error("and ends the first")
	}
	next := device(t, c.with(second.Username(), secret))
	defer next.Disconnect(10)
	for _, topic := range []string{"ioc/v1/devices/gw/readings", "plant/2/data"} {
		done(t, next.Publish(topic, 1, false, "second"))
		eventually(t, topic+" is taken with the second", func() bool { return c.took.has(topic + " second") })
	}
}

// listening: whatever a device subscribes to, it hears what is its own.
func listening(t *testing.T, c *city) {
	told := &kept{all: map[string]bool{}}
	client := device(t, c.as("thief").SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { told.add(m.Topic(), m.Payload()) }))
	defer client.Disconnect(10)
	const own = "ioc/v1/devices/thief/"
	for _, filter := range []string{
		"ioc/v1/devices/victim/config", "ioc/v1/devices/victim/commands/+", "ioc/v1/devices/victim/#", "ioc/v1/devices/+/config", "ioc/v1/devices/+/readings",
		"ioc/v1/devices/+/state", "ioc/v1/devices/#", "ioc/v1/live/#", "ioc/v1/live/alerts", "ioc/#", "+/v1/devices/+/errors", "#", "+/#", "$SYS/#", "$SYS/broker/version", "$MQTT/#", "$JS/#",
		"$share/g/ioc/v1/devices/+/config", "plant/#", own + "readings",
	} {
		for qos := range byte(2) {
			client.Subscribe(filter, qos, nil).WaitTimeout(2 * time.Second)
		}
	}
	done(t, client.Subscribe(own+"errors", 1, nil))
	victim := device(t, c.as("victim"))
	defer victim.Disconnect(10)
	done(t, victim.Publish("ioc/v1/devices/victim/readings", 1, false, "private"))
	done(t, victim.Publish("ioc/v1/devices/victim/state", 1, true, "private"))
	for _, leaf := range []string{"config", "commands/reboot", "errors"} {
		c.say("ioc/v1/devices/victim/"+leaf, leaf == "config", "private")
	}
	c.say("ioc/v1/live/alerts", false, "private")
	c.say(own+"errors", false, "its own")
	eventually(t, "it hears its own", func() bool { return told.has(own + "errors its own") })
	for _, m := range told.list() {
		if m != own+"errors its own" {
			t.Errorf("it heard %s", m)
		}
	}
}

// hijack: who takes another's client id would end its connection and get what
// waits for it.
func hijack(t *testing.T, c *city) {
	var mu sync.Mutex
	var stolen []string
	take := func(_ paho.Client, m paho.Message) {
		mu.Lock()
		defer mu.Unlock()
		stolen = append(stolen, m.Topic())
	}
	victim := device(t, c.as("victim").SetClientID("victim").SetCleanSession(false))
	done(t, victim.Subscribe("ioc/v1/devices/victim/commands/+", 1, nil))
	thief := paho.NewClient(c.as("thief").SetClientID("victim").SetCleanSession(false).SetDefaultPublishHandler(take))
	thief.Connect().WaitTimeout(5 * time.Second)
	done(t, victim.Publish("ioc/v1/devices/victim/readings", 1, false, "still here"))
	victim.Disconnect(10)
	thief.Disconnect(10)
	time.Sleep(300 * time.Millisecond) // until the broker knows that it is away
	c.say("ioc/v1/devices/victim/commands/open", false, "the gate")
	thief = paho.NewClient(c.as("thief").SetClientID("victim").SetCleanSession(false).SetDefaultPublishHandler(take))
	thief.Connect().WaitTimeout(5 * time.Second)
	thief.Disconnect(300)
	told := &kept{all: map[string]bool{}}
	victim = device(t, c.as("victim").SetClientID("victim").SetCleanSession(false).SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { told.add(m.Topic(), m.Payload()) }))
	defer victim.Disconnect(10)
	eventually(t, "the victim hears what waited", func() bool { return told.has("ioc/v1/devices/victim/commands/open the gate") })
	mu.Lock()
	defer mu.Unlock()
	if len(stolen) > 0 {
		t.Errorf("the thief heard %q", stolen)
	}
}

// ends: a credential that is revoked, over or not begun lets nobody in, and ends
// the session that stands on it.
func ends(t *testing.T, c *city) {
	const id = "gw"
	all, err := c.List(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range all {
		if _, err := c.Revoke(t.Context(), id, old.ID); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "revoked ones are refused", func() bool { return !c.lets(c.as(id)) })
	as := func(cr *credentials.Credential, secret string) *paho.ClientOptions {
		return c.with(cr.Username(), secret)
	}
	one, secret := c.issue(t, id, credentials.Terms{})
	eventually(t, "a new one lets in", func() bool { return c.lets(as(one, secret)) })
	client := device(t, as(one, secret))
	if _, err := c.Revoke(t.Context(), id, one.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session of a revoked one ends", func() bool { return !client.IsConnected() })
	if c.lets(as(one, secret)) {
		t.Error("a revoked one lets in")
	}
	later, early := c.issue(t, id, credentials.Terms{NotBefore: time.Now().Add(2 * time.Second)})
	if c.lets(as(later, early)) {
		t.Error("one that has not begun lets in")
	}
	eventually(t, "it begins", func() bool { return c.lets(as(later, early)) })
	brief, short := c.issue(t, id, credentials.Terms{NotAfter: time.Now().Add(3 * time.Second)})
	eventually(t, "a brief one lets in", func() bool { return c.lets(as(brief, short)) })
	client = device(t, as(brief, short))
	eventually(t, "the session of one that is over ends", func() bool { return !client.IsConnected() })
	if c.lets(as(brief, short)) || !c.lets(as(later, early)) {
		t.Error("one that is over lets in, or the other does not")
	}
}

// How long it takes from a revocation until the session has ended, and until a
// new credential lets in, with ten thousand devices.
func BenchmarkPermissionChange(b *testing.B) {
	var away []devices.ID
	for n := range 10_000 {
		away = append(away, devices.ID(fmt.Sprint("away-", n)))
	}
	for _, c := range cities(b, away...) {
		b.Run(c.name, func(b *testing.B) {
			var ended, began, slowest time.Duration
			for b.Loop() {
				at := time.Now()
				cr, secret, err := c.Issue(b.Context(), "gw", credentials.Terms{})
				if err != nil {
					b.Fatal(err)
				}
				eventually(b, "it lets in", func() bool { return c.lets(c.with(cr.Username(), secret)) })
				began += time.Since(at)
				slowest = max(slowest, time.Since(at))
				client := device(b, c.with(cr.Username(), secret))
				at = time.Now()
				if _, err := c.Revoke(b.Context(), "gw", cr.ID); err != nil {
					b.Fatal(err)
				}
				eventually(b, "the session ends", func() bool { return !client.IsConnected() })
				ended += time.Since(at)
				slowest = max(slowest, time.Since(at))
			}
			b.ReportMetric(float64(began.Milliseconds())/float64(b.N), "ms/issue")
			b.ReportMetric(float64(ended.Milliseconds())/float64(b.N), "ms/revoke")
			b.ReportMetric(float64(slowest.Milliseconds()), "ms/slowest")
		})
	}
}
