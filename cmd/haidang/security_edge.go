package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// edge looks at what can be reached from elsewhere, and how.
func (s *survey) edge() {
	c, secure := &s.cfg, s.cfg.TLS.has() || s.cfg.TLS.Proxy
	listens := map[string]string{"http": c.HTTP}
	if c.Broker.URL == "" {
		listens["mqtt"], listens["mqtt_websocket"] = c.MQTT, c.MQTTWebsocket
	}
	for key, addr := range listens {
		if addr != "" && !isLoopback(addr) && !secure {
			s.find(finding{Severity: critical, ID: "clear-text", Where: key, What: fmt.Sprintf("%s = %q is reached from elsewhere, and nobody speaks TLS.", key, addr),
				Why: "Whoever is on the way reads passwords, tokens and citizens' data.", Do: "Give tls.cert and tls.key, or tls.acme_domains; or a TLS proxy in front, with tls.proxy = true and its network in proxies."})
		}
	}
	if c.TLS.Proxy && len(c.Proxies) == 0 {
		s.find(finding{Severity: high, ID: "proxy-unnamed", Where: "proxies", What: "A TLS proxy stands in front (tls.proxy), and proxies does not name it.",
			Why: "All who come through it share one address for the limits on guessing, and cookies go without Secure.", Do: `Say which network it comes from: proxies = ["127.0.0.1/32"].`})
	}
	if c.TLS.Proxy && !c.TLS.has() && !isLoopback(c.HTTP) {
		s.find(finding{Severity: medium, ID: "proxy-passed-by", Where: "http", What: fmt.Sprintf("http = %q can be reached past the TLS proxy.", c.HTTP),
			Why: "Who comes past it speaks in the clear.", Do: "Listen on 127.0.0.1, or let a firewall or the container's network admit the proxy alone."})
	}
	nets, _ := c.proxies() // what cannot be read is told by haidang check
	for _, p := range nets {
		s.proxy(p)
	}
	if c.Broker.URL == "" && c.Broker.Open {
		f := finding{Severity: medium, ID: "broker-open", Where: "broker.open", What: "The broker inside lets devices in without credentials.",
			Why: "Whatever runs on this machine writes as any device.", Do: "Take broker.open out and give devices secrets."}
		if !isLoopback(c.MQTT) {
			f.Severity, f.Why = critical, "Whoever reaches it writes as any device."
		}
		s.find(f)
	}
	if c.UnknownDevices == "register" {
		s.find(finding{Severity: medium, ID: "unknown-registered", Where: "unknown_devices", What: "Devices never seen before become devices of type generic by themselves.",
			Why: "Whoever may send for others fills the registry with made-up devices.", Do: `unknown_devices = "refuse": their data waits until somebody approves them.`})
	}
	if c.DeviceLimit == "" {
		s.find(finding{Severity: low, ID: "device-limit-off", Where: "device_limit", What: "No limit bounds what one device may send before others.",
			Why: "A device that went wild delays all others.", Do: `device_limit = "2000:1,60000:60"`})
	}
}

func (s *survey) proxy(p netip.Prefix) {
	f := finding{ID: "proxies-wide", Where: "proxies", What: fmt.Sprintf("%s is believed when it says who asks.", p),
		Why: "Any of its addresses can pose as another: limits on guessing and the audit log's addresses mean nothing then.", Do: `Name the proxy alone: proxies = ["10.0.0.5/32"].`}
	private, wide, narrow := p.Addr().IsPrivate() || p.Addr().IsLoopback(), 16, 24
	if p.Addr().Is6() {
		wide, narrow = 48, 64
	}
	switch {
	case p.Bits() == 0:
		f.Severity = critical
	case !private && p.Bits() < narrow:
		f.Severity = high
	case private && !p.Addr().IsLoopback() && p.Bits() < wide:
		f.Severity = medium
	default:
		return
	}
	s.find(f)
}

// nearness is how far away a host is: on this machine, in a private network (by
// its address, or a name without a dot, as containers have), or elsewhere.
type nearness int

const (
	here nearness = iota
	near
	far
)

func whereIs(host string) nearness {
	ip := net.ParseIP(host)
	switch {
	case host == "localhost" || ip != nil && ip.IsLoopback():
		return here
	case ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast()), ip == nil && !strings.Contains(host, "."):
		return near
	}
	return far
}

// clearTo is how bad it is to speak to a host without TLS; ok: it is not.
func clearTo(u *url.URL) (sev severity, ok bool) {
	switch u.Scheme {
	case "https", "ssl", "tls", "mqtts", "wss", "tcps":
		return low, true
	}
	switch whereIs(u.Hostname()) {
	case here:
		return low, true
	case near:
		return medium, false
	}
	return critical, false
}

// signIn looks at how people sign in, and for how long.
func (s *survey) signIn() {
	p, o := &s.cfg.People, &s.cfg.OIDC
	if d := time.Duration(p.SessionIdle); d > 24*time.Hour {
		s.find(finding{Severity: medium, ID: "session-idle-long", Where: "people.session_idle", What: fmt.Sprintf("A session that nobody uses goes on for %s.", p.SessionIdle),
			Why: "A screen that was left, or a cookie that was taken, opens the centre for as long.", Do: `people.session_idle = "12h", or less`})
	}
	if d := time.Duration(p.SessionLongest); d > 30*24*time.Hour {
		s.find(finding{Severity: medium, ID: "session-longest-long", Where: "people.session_longest", What: fmt.Sprintf("A session lasts up to %s.", p.SessionLongest),
			Why: "Whoever took a cookie stays in for as long as its owner.", Do: `people.session_longest = "168h", or less`})
	}
	if o.Issuer == "" {
		return
	}
	for key, address := range map[string]string{"oidc.issuer": o.Issuer, "oidc.url": o.URL} {
		if u, err := url.Parse(address); err == nil && u.Scheme != "https" && whereIs(u.Hostname()) != here {
			s.find(finding{Severity: critical, ID: "oidc-clear-text", Where: key, What: fmt.Sprintf("%s is not https.", key),
				Why: "Whoever is on the way signs in as anybody.", Do: "Give its https address."})
		}
	}
	for value, role := range o.Roles {
		id, area, _ := strings.Cut(role, "@")
		name := strings.ToLower(value)
		switch {
		case everybody[name] && id != "viewer":
			s.find(finding{Severity: high, ID: "oidc-role-wide", Where: "oidc.roles", What: fmt.Sprintf("%q, which a provider gives to everybody, makes %s.", value, role),
				Why: "Whoever has an account at the provider may do what that role may.", Do: "Map a group of its own for this centre."})
		case id == "admin" && area == "":
			s.find(finding{Severity: low, ID: "oidc-admin", Where: "oidc.roles", What: fmt.Sprintf("%q of the identity provider makes administrators.", value),
				Why: "Who runs the provider, or its group, runs this centre.", Do: "Have it demand a second factor of that group, and look at who is in it."})
		}
	}
}

// everybody are groups and claims that providers give to all their people.
var everybody = map[string]bool{"*": true, "all": true, "everyone": true, "users": true, "user": true, "staff": true, "employees": true, "domain users": true, "authenticated": true,
	"offline_access": true, "uma_authorization": true, "default-roles-master": true}
