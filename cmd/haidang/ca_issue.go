package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
	"haidang/devices/credentials"
)

// where are the configuration and the data of commands beside serve.
type where struct {
	Config string `help:"The configuration file." type:"path"`
	Data   string `help:"The data folder, in place of the configuration's." type:"path"`
}

// open opens what devices sign in with, which must be there; with signs, the
// authority of the configuration too.
func (w *where) open(ctx context.Context, signs bool, log *slog.Logger) (*credentials.Store, func() error, error) {
	cfg, err := LoadConfig(w.Config)
	if err != nil {
		return nil, nil, err
	}
	if w.Data != "" {
		cfg.Data = w.Data
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "state.db")); err != nil {
		return nil, nil, fmt.Errorf("there is no data in %s; name the folder of haidang serve with --data", cfg.Data)
	}
	var authority *credentials.Authority
	if signs {
		if cfg.TLS.ClientCAKey == "" {
			return nil, nil, errors.New("the configuration names no authority that signs: give tls.client_ca and tls.client_ca_key (haidang ca init DIR makes them), and --config")
		}
		if authority, err = credentials.LoadAuthority(cfg.TLS.ClientCA, cfg.TLS.ClientCAKey); err != nil {
			return nil, nil, err
		}
	}
	return credentialsOf(ctx, cfg, authority, log)
}

type caIssueCmd struct {
	where
	Device string `arg:"" help:"The device, which is registered."`
	CSR    string `name:"csr" help:"The device's own request (PEM), so that its key never leaves it; without, a key is made." type:"path"`
	Out    string `default:"." help:"The folder for DEVICE.crt and, when one is made, DEVICE.key." type:"path"`
	Days   int    `default:"730" help:"For how many days it is good."`
}

func (c *caIssueCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	if c.Days < 1 || c.Days > 36500 {
		return fmt.Errorf("--days is %d; it must be from 1 to 36500", c.Days)
	}
	id, err := devices.ParseID(c.Device)
	if err != nil {
		return err
	}
	store, done, err := c.open(ctx, true, log)
	if err != nil {
		return err
	}
	defer done()
	request, key, err := c.request(id)
	if err != nil {
		return err
	}
	certPath, keyPath := filepath.Join(c.Out, string(id)+".crt"), filepath.Join(c.Out, string(id)+".key")
	// Both places are taken before it is signed: a certificate that was recorded
	// and could not be written would be one nobody has.
	if key != nil {
		if err := writeNew(keyPath, 0o600, key); err != nil {
			return err
		}
	}
	if err := writeNew(certPath, 0o644, nil); err != nil {
		return errors.Join(err, c.undo(key, keyPath))
	}
	made, text, err := store.IssueCertificate(ctx, id, request, time.Now().AddDate(0, 0, c.Days))
	if err == nil {
		err = os.WriteFile(certPath, text, 0o644)
	}
	if err != nil {
		return errors.Join(err, os.Remove(certPath), c.undo(key, keyPath))
	}
	fmt.Fprintf(out, "%s  until %s\n  %s\n", made.Fingerprint, made.NotAfter.Format(time.DateOnly), certPath)
	if key != nil {
		fmt.Fprintf(out, "  %s  (bring it to the device, and keep no copy)\n", keyPath)
	}
	return nil
}

func (c *caIssueCmd) undo(key []byte, path string) error {
	if key == nil {
		return nil
	}
	return os.Remove(path)
}

// request is the device's own, or that of a key that is made here.
func (c *caIssueCmd) request(id devices.ID) (request, key []byte, err error) {
	if c.CSR != "" {
		if request, err = os.ReadFile(c.CSR); err != nil {
			return nil, nil, fmt.Errorf("read the request: %w", err)
		}
		return request, nil, nil
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: string(id)}}, k)
	if err != nil {
		return nil, nil, fmt.Errorf("make a request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// writeNew writes a file where there is none.
func writeNew(path string, mode os.FileMode, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; it is left as it is", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

type caListCmd struct {
	where
	Device string `arg:""`
}

func (c *caListCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	store, done, err := c.open(ctx, false, log)
	if err != nil {
		return err
	}
	defer done()
	all, err := store.Certificates(ctx, devices.ID(c.Device))
	for _, x := range all {
		fmt.Fprintf(out, "%s  %-8s  until %s\n", x.Fingerprint, x.State(time.Now()), x.NotAfter.Format(time.DateOnly))
	}
	if err == nil && len(all) == 0 {
		fmt.Fprintln(out, "none")
	}
	return err
}

type caRevokeCmd struct {
	where
	Device       string   `arg:""`
	Fingerprints []string `arg:"" optional:"" help:"Which of its certificates, as haidang ca list shows them."`
	All          bool     `help:"All that it has."`
}

func (c *caRevokeCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	if c.All == (len(c.Fingerprints) > 0) {
		return errors.New("name the certificates by their fingerprints, or say --all")
	}
	store, done, err := c.open(ctx, false, log)
	if err != nil {
		return err
	}
	defer done()
	if c.All {
		all, err := store.Certificates(ctx, devices.ID(c.Device))
		if err != nil {
			return err
		}
		for _, x := range all {
			c.Fingerprints = append(c.Fingerprints, x.Fingerprint)
		}
	}
	for _, f := range c.Fingerprints {
		x, err := store.RevokeCertificate(ctx, devices.ID(c.Device), f)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  revoked %s\n", x.Fingerprint, x.RevokedAt.Format(time.RFC3339))
	}
	if len(c.Fingerprints) == 0 {
		fmt.Fprintln(out, "it has none")
	}
	return nil
}
