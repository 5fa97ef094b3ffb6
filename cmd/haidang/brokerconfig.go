package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
	"haidang/devices/statedb"
	brokerfiles "haidang/ingest/mosquitto"
)

// keepMosquitto has the files of an outside mosquitto follow the registry, when
// the configuration names their folder.
func (a *app) keepMosquitto() {
	if a.cfg.Broker.Files == "" {
		return
	}
	a.mosquitto = brokerfiles.NewKeeper(mosquittoOptions(&a.cfg, a.sources, a.credentials), a.cfg.Broker.Reload, a.log)
	a.credentials.Watch(a.mosquitto.Changed)
}

func mosquittoOptions(cfg *Config, s *sources, c *credentials.Store) brokerfiles.Options {
	_, filters := s.feeds()
	return brokerfiles.Options{Dir: cfg.Broker.Files, Username: cfg.Broker.Username, Password: cfg.Broker.Password,
		Filters: filters, Grants: s.grants(), Logins: c.Logins}
}

type brokerConfigCmd struct {
	Dir    string `arg:"" help:"Where to write haidang.passwd and haidang.acl; local.passwd and local.acl there are put behind them." type:"path"`
	Config string `help:"The configuration file." type:"path"`
	Data   string `help:"The data folder." type:"path"`
}

// run writes the files once; serve may be running.
func (k *brokerConfigCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	cfg, err := LoadConfig(k.Config)
	if err != nil {
		return err
	}
	if k.Data != "" {
		cfg.Data = k.Data
	}
	if cfg.Broker.Username == "" {
		cfg.Broker.Username = "haidang-ingest"
	}
	cfg.Broker.Files = k.Dir
	s, err := makeSources(cfg.Sources)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return fmt.Errorf("create data folder: %w", err)
	}
	store, done, err := credentialsOf(ctx, cfg, nil, log)
	if err != nil {
		return err
	}
	defer done()
	n, missing, err := brokerfiles.Write(mosquittoOptions(&cfg, s, store))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Devices that may sign in: %d\n", n)
	if missing > 0 {
		fmt.Fprintf(out, "Credentials that mosquitto cannot let in: %d. Those of an earlier version need to be used once at the broker inside or\nover HTTP, or replaced (POST /api/v1/devices/ID/secret); a device named as a user of the broker is left out.\n", missing)
	}
	if cfg.Broker.Password == "" {
		fmt.Fprintf(out, "broker.password is empty: add %s to %s with mosquitto_passwd.\n", cfg.Broker.Username, filepath.Join(k.Dir, brokerfiles.LocalPasswordFile))
	}
	fmt.Fprintf(out, "In mosquitto.conf (deploy/mosquitto/mosquitto.conf has the rest):\n  password_file %s\n  acl_file %s\nThen have mosquitto read them again: kill -HUP. With broker.files and broker.reload serve does both at each change.\n",
		filepath.Join(k.Dir, brokerfiles.PasswordFile), filepath.Join(k.Dir, brokerfiles.ACLFile))
	return nil
}

// credentialsOf opens what devices sign in with, for a command beside serve.
func credentialsOf(ctx context.Context, cfg Config, authority *credentials.Authority, log *slog.Logger) (_ *credentials.Store, done func() error, err error) {
	db, err := statedb.Open(filepath.Join(cfg.Data, "state.db"))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	registry, err := devices.NewRegistry(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	store, err := credentials.Open(ctx, db, credentials.Options{Registry: registry, Allowed: registry.MaySignIn, Audit: trail, Authority: authority, Log: log})
	return store, db.Close, err
}
