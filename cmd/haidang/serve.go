package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
)

type serveCmd struct {
	Config          string `help:"The configuration file." type:"path"`
	Data            string `help:"The data folder." type:"path"`
	HTTP            string `name:"http" help:"host:port of pages and API."`
	MQTT            string `name:"mqtt" help:"host:port of the embedded broker."`
	RegisterUnknown bool   `help:"Make devices never seen before known as type generic."`
}

func (s *serveCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	cfg, err := LoadConfig(s.Config)
	if err != nil {
		return err
	}
	for flag, field := range map[*string]*string{&s.Data: &cfg.Data, &s.HTTP: &cfg.HTTP, &s.MQTT: &cfg.MQTT} {
		if *flag != "" {
			*field = *flag
		}
	}
	if s.RegisterUnknown {
		cfg.UnknownDevices = "register"
	}
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("this configuration cannot be served:\n%w", err)
	}
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return err
	}
	a, err := build(ctx, cfg, false, log)
	if err != nil {
		return err
	}
	return a.run(ctx, func() { a.banner(out) })
}

// banner ends with one line of JSON for programs.
func (a *app) banner(out io.Writer) {
	b, _ := json.Marshal(struct {
		HTTP string `json:"http"`
		MQTT string `json:"mqtt"`
		Data string `json:"data"`
	}{a.httpURL, a.mqttURL, a.cfg.Data})
	fmt.Fprintf(out, "%s\n", b)
}
