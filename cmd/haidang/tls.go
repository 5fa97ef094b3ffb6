package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"haidang/devices/credentials"
)

// TLSConfig says by which certificate HTTPS, MQTT and its websockets are spoken.
// With none the program speaks in the clear, and so only to this machine.
type TLSConfig struct {
	// Cert and Key are PEM files; when they change they are read again.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
	// ACMEDomains are names for which certificates are got and renewed by ACME
	// (RFC 8555, challenge tls-alpn-01 on the HTTP address, which must be reached
	// as port 443 of these names); ACMEEmail is told of trouble. ACMECA is a PEM
	// file of the authority of a directory that is not public.
	ACMEDomains   []string `toml:"acme_domains"`
	ACMEEmail     string   `toml:"acme_email"`
	ACMEDirectory string   `toml:"acme_directory"`
	ACMECA        string   `toml:"acme_ca"`
	// ClientCA is a PEM file of authorities whose certificates let devices in over
	// MQTT, each as the device that its common name is. With ClientCAKey, the key
	// of the only one, certificates are signed here.
	ClientCA    string `toml:"client_ca"`
	ClientCAKey string `toml:"client_ca_key"`
	// ClientCAUnknown is what becomes of a device that is not known and has such
	// a certificate: "refuse", or "register" (type generic).
	ClientCAUnknown string `toml:"client_ca_unknown"`
	// Proxy says that something in front speaks TLS for us.
	Proxy bool `toml:"proxy"`
}

func (t *TLSConfig) has() bool { return t.Cert != "" || len(t.ACMEDomains) > 0 }

// checkTLS says all that is wrong, and what would be sent in the clear.
func (c *Config) checkTLS(bad func(format string, args ...any)) {
	t := &c.TLS
	if (t.Cert == "") != (t.Key == "") {
		bad("tls.cert and tls.key come together, or not at all")
	}
	if t.Cert != "" && len(t.ACMEDomains) > 0 {
		bad("tls.cert and tls.acme_domains are two ways to a certificate; choose one")
	}
	if t.Cert != "" && t.Key != "" {
		if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
			bad("tls.cert, tls.key: %w", err)
		}
	}
	if t.ACMECA != "" {
		if _, err := readPool(t.ACMECA); err != nil {
			bad("tls.acme_ca: %w", err)
		}
	}
	if t.ClientCA != "" {
		if !t.has() {
			bad("tls.client_ca lets devices in by certificates, but without tls.cert or tls.acme_domains no TLS is spoken")
		}
		if _, err := readPool(t.ClientCA); err != nil {
			bad("tls.client_ca: %w", err)
		}
	}
	if t.ClientCAKey != "" {
		if _, err := credentials.LoadAuthority(t.ClientCA, t.ClientCAKey); err != nil {
			bad("tls.client_ca_key: %w", err)
		}
	}
	if t.ClientCAUnknown != "refuse" && t.ClientCAUnknown != "register" {
		bad("tls.client_ca_unknown is %q; it must be refuse or register", t.ClientCAUnknown)
	}
	if t.has() || t.Proxy {
		return
	}
	open := func(what, addr, carries string) {
		if addr != "" && !isLoopback(addr) {
			bad("%s = %q can be reached from elsewhere, and %s would travel in the clear: give tls.cert and tls.key or tls.acme_domains, or say tls.proxy = true when a TLS proxy stands in front", what, addr, carries)
		}
	}
	open("http", c.HTTP, "tokens and citizens' data")
	if c.Broker.URL == "" {
		open("mqtt", c.MQTT, "devices' secrets")
		open("mqtt_websocket", c.MQTTWebsocket, "devices' secrets")
	}
}

// buildTLS is how TLS is spoken; nil: it is not.
func (c *Config) buildTLS(log *slog.Logger) (*tls.Config, error) {
	switch t := &c.TLS; {
	case t.Cert != "":
		k := &keyPair{cert: t.Cert, key: t.Key, log: log}
		if _, err := k.get(nil); err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}, nil
	case len(t.ACMEDomains) > 0:
		client, err := t.acmeClient()
		if err != nil {
			return nil, err
		}
		m := autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(t.ACMEDomains...), Email: t.ACMEEmail,
			Cache: autocert.DirCache(filepath.Join(c.Data, "acme")), Client: client}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: m.GetCertificate}, nil
	}
	return nil, nil
}

// acmeClient asks the directory for certificates.
func (t *TLSConfig) acmeClient() (*acme.Client, error) {
	c := &acme.Client{DirectoryURL: t.ACMEDirectory, UserAgent: "haidang/" + version}
	if t.ACMECA != "" {
		pool, err := readPool(t.ACMECA)
		if err != nil {
			return nil, fmt.Errorf("tls.acme_ca: %w", err)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
		c.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	return c, nil
}

// forHTTP is t as the HTTP server speaks it, which answers ACME's challenges too.
func (c *Config) forHTTP(t *tls.Config) *tls.Config {
	t = t.Clone()
	t.NextProtos = []string{"h2", "http/1.1"}
	if len(c.TLS.ACMEDomains) > 0 {
		t.NextProtos = append(t.NextProtos, acme.ALPNProto)
	}
	return t
}

// readPool reads a PEM file of authorities.
func readPool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// forMQTT is t as the broker speaks it, which asks devices for a certificate. The
// HTTP server does not: browsers would ask people for one.
func (c *Config) forMQTT(t *tls.Config) (*tls.Config, error) {
	if t == nil || c.TLS.ClientCA == "" {
		return t, nil
	}
	pool, err := readPool(c.TLS.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	t = t.Clone()
	t.ClientAuth, t.ClientCAs = tls.VerifyClientCertIfGiven, pool
	return t, nil
}

// openCredentials opens the store of what devices sign in with.
func (a *app) openCredentials(ctx context.Context, db *sql.DB) (err error) {
	o := credentials.Options{Registry: a.registry, Allowed: a.registry.MaySignIn, Audit: a.audit, Log: a.log}
	if t := &a.cfg.TLS; t.ClientCAKey != "" {
		if o.Authority, err = credentials.LoadAuthority(t.ClientCA, t.ClientCAKey); err != nil {
			return err
		}
	}
	if a.cfg.TLS.ClientCAUnknown == "register" {
		o.Enroll = a.registry.Discover
	}
	if a.credentials, err = credentials.Open(ctx, db, o); err != nil {
		return err
	}
	a.registry.Watch(a.credentials.Changed)
	return nil
}

// keyPair is a certificate in files. It looks at them at most once a second, when
// somebody connects; what cannot be read leaves the one there was.
type keyPair struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	changed [2]time.Time
	current *tls.Certificate
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil && time.Since(k.looked) < time.Second {
		return k.current, nil
	}
	k.looked = time.Now()
	changed, err := k.stamps()
	if err == nil && k.current != nil && changed == k.changed {
		return k.current, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(k.cert, k.key)
	}
	if err != nil {
		if k.current == nil {
			return nil, fmt.Errorf("read the TLS certificate: %w", err)
		}
		k.log.Error("the new TLS certificate cannot be used; the old one goes on", "component", "tls", "error", err)
		return k.current, nil
	}
	if k.current != nil {
		k.log.Info("TLS certificate read again", "component", "tls", "not_after", pair.Leaf.NotAfter)
	}
	k.current, k.changed = &pair, changed
	return k.current, nil
}

func (k *keyPair) stamps() (at [2]time.Time, err error) {
	for i, path := range []string{k.cert, k.key} {
		info, statErr := os.Stat(path)
		if statErr != nil {
			err = errors.Join(err, statErr)
			continue
		}
		at[i] = info.ModTime()
	}
	return at, err
}
