package main

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Who beside its owner may do what with a file.
const (
	groupWrites  fs.FileMode = 0o020
	othersRead   fs.FileMode = 0o004
	othersWrite  fs.FileMode = 0o002
	othersEnter  fs.FileMode = 0o001
	renewBefore              = 30 * 24 * time.Hour
	renewUrgent              = 14 * 24 * time.Hour
	shortestRSA              = 2048
	secretSuffix             = "_FILE"
)

// files looks at who may read and change what holds secrets.
func (s *survey) files() {
	if s.path != "" {
		s.mode(s.path, "The configuration", s.cfg.secrets())
	}
	for key, path := range map[string]string{"tls.key": s.cfg.TLS.Key, "tls.client_ca_key": s.cfg.TLS.ClientCAKey} {
		if path != "" {
			s.mode(path, "The key of "+key, true)
		}
	}
	for _, v := range os.Environ() {
		name, path, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "HAIDANG_") && strings.HasSuffix(name, secretSuffix) {
			s.mode(path, "The secret of "+name, true)
		}
	}
	info, err := os.Stat(s.cfg.Data)
	if err != nil {
		s.unseen("the data folder %s: %v", s.cfg.Data, err)
		return
	}
	if m := info.Mode().Perm(); m&(othersRead|othersWrite|othersEnter) != 0 {
		s.find(finding{Severity: high, ID: "data-open", Where: s.cfg.Data, What: fmt.Sprintf("Everybody on this machine may enter the data folder (%v).", m),
			Why: "It holds citizens' data, photos, and the keys of second factors.", Do: "chmod 750 " + s.cfg.Data})
	} else if m&groupWrites != 0 {
		s.find(finding{Severity: medium, ID: "data-group-writes", Where: s.cfg.Data, What: fmt.Sprintf("A whole group may change the data folder (%v).", m),
			Why: "Whoever of it can take out what was recorded.", Do: "chmod 750 " + s.cfg.Data})
	}
}

// secrets says whether the configuration holds any that open something.
func (c *Config) secrets() bool {
	return c.Broker.Password != "" || c.Influx.Token != "" || c.OIDC.ClientSecret != ""
}

func (s *survey) mode(path, what string, secret bool) {
	info, err := os.Stat(path)
	if err != nil {
		s.unseen("%s: %v", path, err)
		return
	}
	m := info.Mode().Perm()
	if m&(groupWrites|othersWrite) != 0 {
		f := finding{Severity: high, ID: "file-writable", Where: path, What: fmt.Sprintf("%s may be changed by others than its owner (%v).", what, m),
			Why: "Whoever changes it gives themselves a way in.", Do: "chmod 640 " + path}
		if m&othersWrite != 0 {
			f.Severity = critical
		}
		s.find(f)
	}
	if secret && m&othersRead != 0 {
		s.find(finding{Severity: high, ID: "file-readable", Where: path, What: fmt.Sprintf("%s may be read by everybody on this machine (%v).", what, m),
			Why: "A secret that any program can read is none.", Do: "chmod 640 " + path + ", and give it to the program's group"})
	}
}

// certificates looks at those by which the program is known, and devices.
func (s *survey) certificates() {
	t := &s.cfg.TLS
	if t.Cert != "" && t.Key != "" {
		if pair, err := tls.LoadX509KeyPair(t.Cert, t.Key); err == nil {
			s.certificate("tls.cert", pair.Leaf)
		}
	}
	if t.ClientCA != "" {
		for _, c := range readCertificates(t.ClientCA) {
			s.certificate("tls.client_ca", c)
		}
	}
	if t.has() && t.ClientCA == "" && s.cfg.Broker.URL == "" {
		s.find(finding{Severity: low, ID: "client-ca-missing", Where: "tls.client_ca", What: "Devices sign in by secrets alone.",
			Why: "A secret can be copied out of a firmware image; a key in a device's chip cannot.", Do: "haidang ca init DIR makes an authority for devices that have certificates."})
	}
	if t.ClientCAUnknown == "register" {
		s.find(finding{Severity: medium, ID: "client-ca-register", Where: "tls.client_ca_unknown", What: "Whoever has a certificate of a trusted authority becomes a device.",
			Why: "An authority that signs for others too lets their things in.", Do: `tls.client_ca_unknown = "refuse", or an authority that signs for this centre alone`})
	}
}

func (s *survey) certificate(key string, c *x509.Certificate) {
	f := finding{Where: key, Do: "Renew it; the program reads the files again by itself."}
	switch left := c.NotAfter.Sub(s.now); {
	case left <= 0:
		f.Severity, f.ID, f.What = critical, "certificate-expired", fmt.Sprintf("The certificate of %s ended on %s.", key, c.NotAfter.Format(time.DateOnly))
		f.Why = "Browsers and devices are taught to pass over the warning, and then over an attacker's."
	case left < renewBefore:
		f.Severity, f.ID, f.What = medium, "certificate-expiring", fmt.Sprintf("The certificate of %s ends on %s.", key, c.NotAfter.Format(time.DateOnly))
		if f.Why = "When it ends, nobody comes in."; left < renewUrgent {
			f.Severity = high
		}
	}
	if f.ID != "" {
		s.find(f)
	}
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < shortestRSA {
		s.find(finding{Severity: high, ID: "certificate-weak", Where: key, What: fmt.Sprintf("The certificate of %s has an RSA key of %d bits.", key, k.N.BitLen()),
			Why: "Such keys can be broken.", Do: "Make one of 2048 bits or more, or ECDSA."})
	}
}

func readCertificates(path string) (all []*x509.Certificate) {
	text, _ := os.ReadFile(filepath.Clean(path)) // haidang check says what is wrong with it
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, c)
		}
	}
	return all
}
