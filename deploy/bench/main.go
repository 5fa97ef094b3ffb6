// Command bench measures the program beside its peers on this machine and
// prints Markdown tables. Systems are interleaved, one round after another,
// so that a noisy minute hits all of them; figures are medians.
//
//	go run ./deploy/bench -reps 5 -parts throughput,delay,memory,coldstart
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type bench struct {
	reps, readings int
	delayFor       time.Duration
	parts, systems []string
	tools, dir     string
	haidang, sim   string
	mosquitto      string
	self           string
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "bare-subscriber" {
		fatal(bareSubscriber(os.Args[2], os.Args[3]))
		return
	}
	b := &bench{}
	parts := flag.String("parts", "throughput,delay,memory,coldstart", "what to measure")
	systems := flag.String("systems", "", "measure only systems whose name contains one of these, separated by commas")
	flag.IntVar(&b.reps, "reps", 5, "rounds; the tables show medians")
	flag.IntVar(&b.readings, "n", 200_000, "readings of a throughput round")
	flag.DurationVar(&b.delayFor, "delay-for", 20*time.Second, "length of a delay round")
	flag.StringVar(&b.tools, "tools", ".tools", "where the peers are built")
	flag.Parse()
	b.parts, b.systems = strings.Split(*parts, ","), strings.Split(*systems, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fatal(b.run(ctx))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context) error {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil && limit.Cur < limit.Max {
		limit.Cur = limit.Max // for mosquitto, which does not raise it itself
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.machine()
	measures := []struct {
		part, title string
		kinds       []string
		figures     []string
		reference   string
		measure     func(context.Context, *system) (map[string]float64, error)
	}{
		{"throughput", fmt.Sprintf("Readings in, QoS 1: %d of about 200 bytes, 50 publishers, 20 in flight each, 1,000 devices", b.readings),
			[]string{telegraf, embedded, served, bare}, []string{"stored/s", "CPU s/M", "RSS MiB"}, telegraf, b.throughput},
		{"delay", fmt.Sprintf("Device to wall: %d readings a second, %d walls", delayRate, walls),
			[]string{embedded, served}, []string{"p50 ms", "p99 ms", "max ms", "shown %"}, "", b.delay},
		{"memory", "Memory with 10,000 connected devices", []string{embedded, served}, []string{"RSS MiB", "empty MiB"}, "", b.memory},
	}
	for _, m := range measures {
		if !slices.Contains(b.parts, m.part) {
			continue
		}
		r := newResults()
		for round := range b.reps {
			for _, k := range kinds {
				if !slices.Contains(m.kinds, k.name) || !b.wanted(k.name) {
					continue
				}
				figures, err := b.round(ctx, k, m.measure)
				fmt.Fprintf(os.Stderr, "%s %d/%d %s: %v %v\n", m.part, round+1, b.reps, k.name, figures, err)
				r.add(k.name, figures, err)
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
		r.write(os.Stdout, m.title, m.kinds, m.figures, m.reference)
	}
	if slices.Contains(b.parts, "coldstart") {
		r := newResults()
		for range b.reps {
			dir, err := os.MkdirTemp(b.dir, "cold-")
			if err != nil {
				return err
			}
			figures, err := b.coldStart(ctx, dir)
			r.add(embedded, figures, err)
		}
		r.write(os.Stdout, "Cold start: program start to first page", []string{embedded}, []string{"ms", "RSS MiB"}, "")
	}
	return nil
}

// round starts a system in a folder of its own, measures it and ends it.
func (b *bench) round(ctx context.Context, k kind, measure func(context.Context, *system) (map[string]float64, error)) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp(b.dir, "round-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := k.start(ctx, b, dir)
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	return measure(ctx, s)
}

func (b *bench) wanted(name string) bool {
	return slices.ContainsFunc(b.systems, func(part string) bool { return strings.Contains(name, part) })
}

// machine prints on what the figures were taken.
func (b *bench) machine() {
	cpu := "unknown CPU"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "model name") {
			_, cpu, _ = strings.Cut(line, ":")
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s, %d cores, %s, %s, load before: %s; load generator on the same machine; medians of %d [smallest–largest]\n",
		strings.TrimSpace(cpu), runtime.NumCPU(), runtime.Version(), time.Now().Format(time.DateOnly), strings.Join(strings.Fields(string(load))[:1], ""), b.reps)
}

// prepare builds what is measured and finds or builds the peers.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.tools, err = filepath.Abs(b.tools); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "haidang-bench-"); err != nil {
		return err
	}
	for _, candidate := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(candidate); err == nil {
			b.mosquitto = path
			break
		}
	}
	b.haidang, b.sim = filepath.Join(b.dir, "haidang"), filepath.Join(b.dir, "firmware-sim")
	for out, pkg := range map[string]string{b.haidang: "./cmd/haidang", b.sim: "./cmd/firmware-sim"} {
		if err := command(ctx, "", "go", "build", "-o", out, pkg); err != nil {
			return fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	if slices.Contains(b.parts, "throughput") && b.wanted(telegraf) {
		return b.buildPeers(ctx)
	}
	return nil
}

// buildPeers builds Telegraf with only the plug-ins used, and InfluxDB.
func (b *bench) buildPeers(ctx context.Context) error {
	for name, args := range map[string][]string{
		"influxd":  {"github.com/influxdata/influxdb/cmd/influxd@v1.8.10"},
		"telegraf": {"-tags", "custom,inputs.mqtt_consumer,outputs.influxdb,parsers.json", "github.com/influxdata/telegraf/cmd/telegraf@v1.37.2"},
	} {
		if _, err := os.Stat(filepath.Join(b.tools, name)); err == nil {
			continue
		}
		fmt.Fprintln(os.Stderr, "bench: building", name)
		if err := command(ctx, b.tools, "go", append([]string{"install"}, args...)...); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	return nil
}

func command(ctx context.Context, gobin, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if gobin != "" {
		cmd.Env = append(os.Environ(), "GOBIN="+gobin)
	}
	return cmd.Run()
}
