package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/crypto/acme"

	"haidang/alerts/rules"
	"haidang/ingest"
	"haidang/web"
)

// Config is the configuration of serve. Defaults < file < HAIDANG_… environment
// < flags; a secret can also be read from the file that …_FILE names.
type Config struct {
	// Data is the folder that holds everything.
	Data string `toml:"data"`
	HTTP string `toml:"http"` // host:port of pages and API
	// Proxies are the networks of the proxies before it, which are believed
	// when they say who asks (X-Forwarded-For, X-Forwarded-Proto).
	Proxies []string `toml:"proxies"`
	// MQTT is host:port of the embedded broker; unused with Broker.URL.
	MQTT string `toml:"mqtt"`
	// MQTTWebsocket is host:port of the embedded broker's MQTT over websockets,
	// at /mqtt; empty: none.
	MQTTWebsocket string    `toml:"mqtt_websocket"`
	TLS           TLSConfig `toml:"tls"`
	// UnknownDevices is "refuse" (dead letters) or "register" (type generic).
	UnknownDevices string `toml:"unknown_devices"`
	// Rules is a file of alert rules; empty means those that ship.
	Rules string `toml:"rules"`
	// RetentionDays and RollupDays are how long readings, and their figures by
	// hour, are kept, until somebody changes those retention classes; 0: as the
	// classes ship.
	RetentionDays int `toml:"retention_days"`
	RollupDays    int `toml:"rollup_days"`
	// RetentionAt is when the nightly retention run begins: HH:MM, Vietnam's.
	RetentionAt string       `toml:"retention_at"`
	Broker      BrokerConfig `toml:"broker"`
	Influx      InfluxConfig `toml:"influxdb"`
	Tokens      []web.Token  `toml:"tokens"`
	People      PeopleConfig `toml:"people"`
	OIDC        web.OIDC     `toml:"oidc"`
	// DeviceLimit is how much one device may send live before its messages wait
	// behind those of others: pairs of a number and seconds. Empty: no limit.
	DeviceLimit string         `toml:"device_limit"`
	Times       TimesConfig    `toml:"times"`
	Sources     []SourceConfig `toml:"sources"`
	Cohorts     CohortConfig   `toml:"cohorts"`
	Limits      LimitsConfig   `toml:"limits"`
}

// TimesConfig says when readings are late, and which fix times are believed.
type TimesConfig struct {
	// LiveWithin: what arrives this soon after its fix time is live;
	// BackfillAfter: what is older than this is backfill; late in between.
	LiveWithin    Duration `toml:"live_within"`
	BackfillAfter Duration `toml:"backfill_after"`
	// ClockAhead is how far a device's clock may be ahead of ours, OldestDays
	// how old a reading may be.
	ClockAhead Duration `toml:"clock_ahead"`
	OldestDays int      `toml:"oldest_days"`
	// Future and Past are what becomes of a fix time beyond those: "refuse" (a
	// dead letter), "clamp" (the time of arrival, marked as assumed) or "accept"
	// (as it was sent, marked as suspect, in no average and no rule).
	Future ingest.TimePolicy `toml:"future"`
	Past   ingest.TimePolicy `toml:"past"`
}

// PeopleConfig says how long who signed in with an account stays so.
type PeopleConfig struct {
	// SessionIdle ends a session that was not used for so long, SessionLongest
	// one that began so long ago.
	SessionIdle    Duration `toml:"session_idle"`
	SessionLongest Duration `toml:"session_longest"`
}

// Duration is a duration as text, such as "5m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	x, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration; write 90s, 5m or 24h", text)
	}
	*d = Duration(x)
	return nil
}

// String is the duration as text.
func (d Duration) String() string { return time.Duration(d).String() }

// bounds are those of package ingest with these times.
func (t *TimesConfig) bounds() ingest.Bounds {
	b := ingest.DefaultBounds()
	b.LiveWithin, b.BackfillAfter, b.Future, b.Past = time.Duration(t.LiveWithin), time.Duration(t.BackfillAfter), time.Duration(t.ClockAhead), time.Duration(t.OldestDays)*24*time.Hour
	b.OnFuture, b.OnPast = t.Future, t.Past
	return b
}

// check says all that is wrong.
func (t *TimesConfig) check(bad func(format string, args ...any)) {
	for name, p := range map[string]ingest.TimePolicy{"future": t.Future, "past": t.Past} {
		if !p.Known() {
			bad("times.%s is %q; it must be refuse, clamp or accept", name, p)
		}
	}
	if t.LiveWithin <= 0 || t.BackfillAfter <= t.LiveWithin {
		bad("times.live_within is %s and times.backfill_after %s; the first must be above 0 and below the second", t.LiveWithin, t.BackfillAfter)
	}
	if t.ClockAhead < 0 || t.OldestDays < 1 {
		bad("times.clock_ahead is %s and times.oldest_days %d; the first must not be below 0, the second at least 1", t.ClockAhead, t.OldestDays)
	}
}

func defaultTimes() TimesConfig {
	b := ingest.DefaultBounds()
	return TimesConfig{Duration(b.LiveWithin), Duration(b.BackfillAfter), Duration(b.Future), int(b.Past / (24 * time.Hour)), b.OnFuture, b.OnPast}
}

// BrokerConfig names an outside MQTT broker, and whom the embedded one lets in.
type BrokerConfig struct {
	URL      string `toml:"url"`
	ClientID string `toml:"client_id"`
	Username string `toml:"username"`
	Password string `toml:"password"`
	// Open lets devices into the embedded broker without credentials; only
	// on loopback.
	Open bool `toml:"open"`
	// Files is the folder of an outside mosquitto's password and access files,
	// which follow the registry at once; Reload is a program with its arguments
	// that has mosquitto read them.
	Files  string   `toml:"files"`
	Reload []string `toml:"reload"`
}

// InfluxConfig names an InfluxDB; an empty URL means none: the journal answers.
type InfluxConfig struct {
	URL    string `toml:"url"`
	Org    string `toml:"org"`
	Bucket string `toml:"bucket"`
	Token  string `toml:"token"`
}

// DefaultConfig is what holds where nothing is said.
func DefaultConfig() Config {
	return Config{Data: "data", HTTP: "127.0.0.1:8080", MQTT: "127.0.0.1:1883", UnknownDevices: "refuse", RetentionAt: "02:00", DeviceLimit: "2000:1,60000:60", Times: defaultTimes(), Cohorts: defaultCohorts(),
		Limits: defaultLimits(), Proxies: []string{}, People: PeopleConfig{Duration(12 * time.Hour), Duration(7 * 24 * time.Hour)},
		OIDC:   web.OIDC{Scopes: []string{"profile", "email"}, RolesClaim: "groups", Roles: map[string]string{}},
		Broker: BrokerConfig{ClientID: "haidang-ingest", Reload: []string{}}, TLS: TLSConfig{ACMEDomains: []string{}, ACMEDirectory: acme.LetsEncryptURL, ClientCAUnknown: "refuse"}, Influx: InfluxConfig{Bucket: "ioc"}}
}

// LoadConfig reads the file at path, when there is one, and the environment.
func LoadConfig(path string) (Config, error) {
	c := DefaultConfig()
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
				return c, fmt.Errorf("%s has options that do not exist:\n%s", path, strict.String())
			}
			return c, fmt.Errorf("%s: %w", path, err)
		}
	}
	return c, c.fromEnv()
}

func (c *Config) fromEnv() error {
	proxy := fmt.Sprint(c.TLS.Proxy)
	for name, field := range map[string]*string{
		"DATA": &c.Data, "HTTP": &c.HTTP, "MQTT": &c.MQTT, "MQTT_WEBSOCKET": &c.MQTTWebsocket, "TLS_CERT": &c.TLS.Cert, "TLS_KEY": &c.TLS.Key, "TLS_PROXY": &proxy, "UNKNOWN_DEVICES": &c.UnknownDevices, "RULES": &c.Rules,
		"BROKER_URL": &c.Broker.URL, "BROKER_USERNAME": &c.Broker.Username, "BROKER_PASSWORD": &c.Broker.Password,
		"OIDC_CLIENT_SECRET": &c.OIDC.ClientSecret, "INFLUXDB_URL": &c.Influx.URL, "INFLUXDB_ORG": &c.Influx.Org, "INFLUXDB_BUCKET": &c.Influx.Bucket, "INFLUXDB_TOKEN": &c.Influx.Token,
	} {
		if v, ok := os.LookupEnv("HAIDANG_" + name); ok {
			*field = v
		}
		if p, ok := os.LookupEnv("HAIDANG_" + name + "_FILE"); ok {
			b, err := os.ReadFile(p)
			if err != nil {
				return fmt.Errorf("read HAIDANG_%s_FILE: %w", name, err)
			}
			*field = strings.TrimSpace(string(b))
		}
	}
	var err error
	if c.TLS.Proxy, err = strconv.ParseBool(proxy); err != nil {
		return fmt.Errorf("HAIDANG_TLS_PROXY is %q; it must be true or false", proxy)
	}
	return nil
}

// Check says all that is wrong or insecure, in sentences.
func (c *Config) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.UnknownDevices != "refuse" && c.UnknownDevices != "register" {
		bad("unknown_devices is %q; it must be refuse or register", c.UnknownDevices)
	}
	if c.RetentionDays != 0 && c.RetentionDays < 7 {
		bad("retention_days is %d; it must be at least 7, so that figures by hour are made; 0: as the class readings says", c.RetentionDays)
	}
	if c.RollupDays != 0 && c.RollupDays < 90 {
		bad("rollup_days is %d; it must be at least 90; 0: as the class rollups says", c.RollupDays)
	}
	if _, err := c.retentionAt(); err != nil {
		errs = append(errs, err)
	}
	for name, addr := range map[string]string{"http": c.HTTP, "mqtt": c.MQTT} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			bad("%s is %q; it must be host:port", name, addr)
		}
	}
	if c.MQTTWebsocket != "" {
		if _, _, err := net.SplitHostPort(c.MQTTWebsocket); err != nil {
			bad("mqtt_websocket is %q; it must be host:port, or empty", c.MQTTWebsocket)
		}
	}
	c.checkTLS(bad)
	if _, err := c.proxies(); err != nil {
		errs = append(errs, err)
	}
	for i, t := range c.Tokens {
		if !slices.Contains(shippedRoles(), t.Role) {
			bad("token %d (%s): role %q must be one of those that ship: %s", i+1, t.Name, t.Role, strings.Join(shippedRoles(), ", "))
		}
		if len(t.SHA256) != 64 {
			bad("token %d (%s): sha256 must have 64 hex digits; haidang token makes one", i+1, t.Name)
		}
	}
	if c.People.SessionIdle <= 0 || c.People.SessionLongest < c.People.SessionIdle {
		bad("people.session_idle is %s and people.session_longest %s; the first must be above 0 and not above the second", c.People.SessionIdle, c.People.SessionLongest)
	}
	if c.OIDC.Issuer != "" {
		c.checkOIDC(bad)
	}
	for key, address := range map[string]string{"broker.url": c.Broker.URL, "influxdb.url": c.Influx.URL} {
		checkAddress(key, address, bad)
	}
	if c.Broker.Open && c.Broker.URL == "" && !isLoopback(c.MQTT) {
		bad("broker.open lets devices in without credentials, but mqtt = %q listens beyond this machine; close one of the two", c.MQTT)
	}
	if c.Broker.Files != "" && (c.Broker.URL == "" || c.Broker.Username == "") {
		bad("broker.files are those of an outside broker; give its broker.url, and broker.username")
	}
	if len(c.Broker.Reload) > 0 && c.Broker.Files == "" {
		bad("broker.reload has mosquitto read broker.files, but there are none")
	}
	if _, err := ingest.ParseLimits(c.DeviceLimit); err != nil {
		bad("device_limit: %w", err)
	}
	c.Times.check(bad)
	c.Cohorts.check(bad)
	c.Limits.limits(bad)
	if _, err := makeSources(c.Sources); err != nil {
		errs = append(errs, err)
	}
	if c.Rules != "" {
		if _, err := rules.Load(c.Rules); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// checkOIDC says what is missing of an identity provider.
func (c *Config) checkOIDC(bad func(string, ...any)) {
	o := c.OIDC
	if o.ClientID == "" || o.Name == "" || o.RolesClaim == "" {
		bad("oidc needs client_id, name and roles_claim beside issuer")
	}
	for key, address := range map[string]string{"oidc.issuer": o.Issuer, "oidc.url": o.URL} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.User != nil {
			bad("%s is no address such as https://ioc.example.vn", key)
		} else if u.Scheme != "https" && !isLoopback(net.JoinHostPort(u.Hostname(), "0")) {
			bad("%s = %q is not https: passwords would go in the clear", key, address)
		}
	}
	if len(o.Roles) == 0 {
		bad("oidc.roles is empty: nobody of the identity provider could do anything")
	}
	for value, role := range o.Roles {
		id, _, _ := strings.Cut(role, "@")
		if !slices.Contains(shippedRoles(), id) {
			bad("oidc.roles: %q = %q is none of the roles that ship: %s", value, role, strings.Join(shippedRoles(), ", "))
		}
	}
}

// checkAddress keeps secrets out of what is shown and logged.
func checkAddress(key, address string, bad func(string, ...any)) {
	u, err := url.Parse(address)
	if err != nil || address != "" && u.Host == "" {
		bad("%s is no address: write scheme://host:port", key) // the cause would quote it
		return
	}
	if u.User != nil {
		other := "broker.username and broker.password (or HAIDANG_BROKER_PASSWORD_FILE)"
		if key == "influxdb.url" {
			other = "influxdb.token (or HAIDANG_INFLUXDB_TOKEN_FILE); for InfluxDB 1.8 the token is name:password"
		}
		bad("%s holds a name or password, which addresses are shown with; give %s instead", key, other)
	}
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// proxies are the networks of Proxies; a single address is one too.
func (c *Config) proxies() (ps []netip.Prefix, err error) {
	for _, text := range c.Proxies {
		p, bad := netip.ParsePrefix(text)
		if a, isAddr := netip.ParseAddr(text); isAddr == nil {
			p, bad = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if bad != nil {
			return nil, fmt.Errorf("proxies holds %.60q, which is neither an address nor a network such as 10.0.0.0/8", text)
		}
		ps = append(ps, p.Masked())
	}
	return ps, nil
}
