package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// The programs that contenders need, by the names of their files.
const (
	haidang      = "haidang"
	haidangEarly = "haidang-early"
	mosquitto    = "mosquitto"
	telegraf     = "telegraf"
	influxd      = "influxd"
)

// own says how each program of this repository is built. The early one
// acknowledges before the commit and exists only to be measured.
var own = map[string][]string{
	haidang:      {"./cmd/haidang"},
	haidangEarly: {"-tags", "ackearly", "./cmd/haidang"},
}

// peers says how the peers are built: Telegraf with only the plug-ins used.
var peers = map[string][]string{
	influxd:  {"github.com/influxdata/influxdb/cmd/influxd@v1.8.10"},
	telegraf: {"-tags", "custom,inputs.mqtt_consumer,outputs.influxdb,parsers.json", "github.com/influxdata/telegraf/cmd/telegraf@v1.37.2"},
}

// program is where a program lies. Our own are built anew in each run, the
// peers once.
func (b *bench) program(name string) string {
	switch name {
	case mosquitto:
		return b.mosquitto
	case telegraf, influxd:
		return filepath.Join(b.tools, name)
	}
	return filepath.Join(b.dir, name)
}

// prepare builds and finds what the measures need.
func (b *bench) prepare(ctx context.Context, measures []measure) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.tools, err = filepath.Abs(b.tools); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "haidang-bench-"); err != nil {
		return err
	}
	for _, candidate := range []string{mosquitto, "/usr/sbin/mosquitto"} { // Debian's place for it
		if path, err := exec.LookPath(candidate); err == nil {
			b.mosquitto = path
			break
		}
	}
	var needs []string
	for _, m := range measures {
		for _, c := range m.contenders {
			needs = append(needs, c.needs...)
		}
	}
	slices.Sort(needs)
	for _, name := range slices.Compact(needs) {
		if err := b.build(ctx, name); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) build(ctx context.Context, name string) error {
	if args, ok := own[name]; ok {
		return command(ctx, "", "go", append([]string{"build", "-o", b.program(name)}, args...)...)
	}
	args, ok := peers[name]
	if !ok {
		return nil
	}
	if _, err := os.Stat(b.program(name)); err == nil {
		return nil
	}
	fmt.Fprintln(os.Stderr, "bench: building", name)
	return command(ctx, b.tools, "go", append([]string{"install"}, args...)...)
}

func command(ctx context.Context, gobin, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if gobin != "" {
		cmd.Env = append(os.Environ(), "GOBIN="+gobin)
	}
	return cmd.Run()
}
