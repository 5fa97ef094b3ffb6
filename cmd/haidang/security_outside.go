package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// outside looks at the broker and the InfluxDB that the program speaks to.
func (s *survey) outside(ctx context.Context) {
	b, i := &s.cfg.Broker, &s.cfg.Influx
	s.address("broker.url", b.URL, "The password, and all that devices say, can be read and changed on the way.", "Use ssl:// and the broker's TLS port (8883).")
	s.address("influxdb.url", i.URL, "The token, which may write and delete all figures, can be read on the way.", "Use https://, or run InfluxDB on this machine.")
	if i.URL != "" && i.Token == "" {
		s.find(finding{Severity: medium, ID: "influxdb-no-token", Where: "influxdb.token", What: "The program writes to InfluxDB without a token.",
			Why: "An InfluxDB that takes that lets anybody who reaches it change history.", Do: "Turn on its authentication and give HAIDANG_INFLUXDB_TOKEN_FILE."})
	}
	if b.URL == "" {
		return
	}
	if b.Username == "" {
		s.find(finding{Severity: medium, ID: "broker-no-credentials", Where: "broker.username", What: "The program signs in at the broker without a name.",
			Why: "A broker that lets us in so lets anybody in, who may then write as any device.", Do: "Give broker.username and HAIDANG_BROKER_PASSWORD_FILE, and set allow_anonymous false in mosquitto."})
	}
	s.anonymous(ctx)
}

// address looks at one that the program speaks to, in the clear or with a
// password in it.
func (s *survey) address(key, address, why, do string) {
	u, err := url.Parse(address)
	if address == "" || err != nil {
		return // haidang check says what is wrong with it
	}
	if u.User != nil {
		s.find(finding{Severity: high, ID: "password-in-url", Where: key, What: fmt.Sprintf("%s holds a name or a password.", key),
			Why: "Addresses are shown in lists, pages and logs.", Do: "Give the name and the password in the options that are for them, or from a file."})
	}
	if sev, ok := clearTo(u); !ok {
		s.find(finding{Severity: sev, ID: "clear-to-" + strings.TrimSuffix(key, ".url"), Where: key, What: fmt.Sprintf("%s speaks to %s without TLS.", key, u.Hostname()), Why: why, Do: do})
	}
}

// anonymous asks the broker whether it lets in somebody without credentials.
func (s *survey) anonymous(ctx context.Context) {
	u, err := url.Parse(s.cfg.Broker.URL)
	if err != nil {
		return
	}
	u.User = nil
	o := paho.NewClientOptions().AddBroker(u.String()).SetClientID("check-" + rand.Text()[:12]).SetConnectTimeout(3 * time.Second).SetAutoReconnect(false).SetConnectRetry(false)
	c := paho.NewClient(o)
	token := c.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		return
	case <-time.After(5 * time.Second):
	}
	defer c.Disconnect(0)
	switch err := token.Error(); {
	case c.IsConnected():
		f := finding{Severity: critical, ID: "broker-anonymous", Where: "broker.url", What: "The broker let in a client that gave neither name nor password.",
			Why: "Whoever reaches it reads all devices and, unless its access file forbids it, writes as any.", Do: "In mosquitto: allow_anonymous false, password_file and acl_file; deploy/mosquitto/mosquitto.conf has them."}
		if whereIs(u.Hostname()) == here {
			f.Severity = high // what else it listens on is not known from here
		}
		s.find(f)
	case errors.Is(err, packets.ErrorRefusedNotAuthorised), errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedIDRejected):
	default:
		s.unseen("whether the broker lets in clients without credentials: it could not be asked (%v)", err)
	}
}

// sources looks at the ways by which foreign formats come in.
func (s *survey) sources() {
	for i, c := range s.cfg.Sources {
		where := fmt.Sprintf("sources[%d]", i)
		if u, err := url.Parse(c.Listen); err == nil && c.Listen != "" {
			if host := u.Hostname(); whereIs(host) != here || host == "" {
				s.find(finding{Severity: high, ID: "source-open", Where: where + ".listen", What: fmt.Sprintf("The source %s takes sentences from whoever reaches %s.", c.Name, net.JoinHostPort(host, u.Port())),
					Why: "Its formats know no sign-in: anybody there can move a vessel, or make one.", Do: "Listen on 127.0.0.1 or a private address behind a VPN, and let a firewall admit the sender alone."})
			}
		}
		if u, err := url.Parse(c.Connect); err == nil && c.Connect != "" && whereIs(u.Hostname()) == far {
			s.find(finding{Severity: medium, ID: "source-clear-text", Where: where + ".connect", What: fmt.Sprintf("The source %s reads from %s in the clear.", c.Name, u.Hostname()),
				Why: "Whoever is on the way can change what it says.", Do: "Bring it through a VPN or a TLS tunnel that ends on this machine."})
		}
		for _, way := range []string{c.Listen, c.Connect} {
			if u, err := url.Parse(way); err == nil && u.User != nil {
				s.find(finding{Severity: high, ID: "password-in-url", Where: where, What: fmt.Sprintf("An address of the source %s holds a name or a password.", c.Name),
					Why: "Addresses are shown in lists, pages and logs.", Do: "Take it out; these ways know no sign-in."})
			}
		}
		if c.Topic != "" && s.cfg.Broker.URL == "" && len(c.From) > 5 {
			s.find(finding{Severity: low, ID: "source-many", Where: where + ".from", What: fmt.Sprintf("%d devices may publish on the topic of %s, each for any device.", len(c.From), c.Name),
				Why: "A source's payload says which device it is of: one stolen secret of these speaks for all.", Do: "Name gateways alone in from; let the others use their own topics."})
		}
	}
}
