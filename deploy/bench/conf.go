package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed conf/*
var configs embed.FS

// ports fill the configurations; each system of each round has its own.
type ports struct {
	MQTTPort, HTTPPort, InfluxPort, InfluxRPCPort int

	Data      string
	TokenHash string
	Inside    bool   // haidang has its broker inside
	Bucket    string // of InfluxDB, that haidang writes to; empty: none
	Drop      string // a folder that haidang watches for station files; empty: none
	Cold      bool   // InfluxDB puts in order within seconds what rests, not within hours
}

func newPorts(dir string) ports {
	return ports{MQTTPort: freePort(), HTTPPort: freePort(), InfluxPort: freePort(), InfluxRPCPort: freePort(),
		Data: dir, TokenHash: fmt.Sprintf("%x", sha256.Sum256([]byte(token)))}
}

func (p ports) mqtt() string   { return fmt.Sprintf("127.0.0.1:%d", p.MQTTPort) }
func (p ports) http() string   { return fmt.Sprintf("127.0.0.1:%d", p.HTTPPort) }
func (p ports) influx() influx { return influx(fmt.Sprintf("http://127.0.0.1:%d", p.InfluxPort)) }

// folder is where haidang keeps its data.
func (p ports) folder() string { return filepath.Join(p.Data, "haidang") }

// write fills a configuration and returns where it lies.
func (p ports) write(name string) (string, error) {
	t, err := template.ParseFS(configs, "conf/"+name)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return "", err
	}
	path := filepath.Join(p.Data, name)
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}
