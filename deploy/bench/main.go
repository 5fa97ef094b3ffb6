// Command bench measures the program beside its peers on this machine and
// prints Markdown tables. Systems are interleaved, one round after another,
// so that a noisy minute hits all of them; figures are medians.
//
//	go run ./deploy/bench -reps 5 -parts throughput,promise,delay,backfill,fanout,catchup,memory,recover,disk,coldstart,registry
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

type bench struct {
	reps, readings, backlog, kept int
	clients, fleet, stations      int
	delayFor, fanOutFor           time.Duration
	parts, systems                []string
	tools, dir                    string
	mosquitto, self               string
}

// subcommands are the servers and clients of the bench's own. Each runs in a
// process of its own, so that its CPU is told from that of the others.
var subcommands = map[string]struct {
	args int
	run  func(args []string) error
}{
	"bare-subscriber":  {2, bareSubscriber},
	"bare-pipeline":    {3, barePipeline},
	"fan-out-hub":      {2, serveHub},
	"fan-out-prepared": {1, servePrepared},
	"fan-out-clients":  {3, readFanOut},
}

// generatorGC has the load generator, which runs on the cores of what it
// measures, collect its garbage seldom: it timed its own collections.
const generatorGC = 400

func main() {
	if len(os.Args) > 1 {
		if c, ok := subcommands[os.Args[1]]; ok && len(os.Args) == 2+c.args {
			fatal(c.run(os.Args[2:]))
			return
		}
	}
	debug.SetGCPercent(generatorGC)
	b := &bench{}
	parts := flag.String("parts", "all", "what to measure, separated by commas: throughput, promise, delay, backfill, fanout, catchup, memory, recover, disk, coldstart, registry")
	systems := flag.String("systems", "", "measure only systems whose name, or whose table's, contains one of these, separated by commas")
	flag.IntVar(&b.reps, "reps", 5, "rounds; the tables show medians")
	flag.IntVar(&b.readings, "n", 200_000, "readings of a round of throughput and of promise")
	flag.IntVar(&b.backlog, "backlog", 100_000, "readings that wait in a round of catchup")
	flag.IntVar(&b.kept, "kept", 500_000, "readings that are stored in a round of recover")
	flag.IntVar(&b.clients, "clients", 1000, "screens of fanout")
	flag.IntVar(&b.fleet, "devices", 20, "devices of disk; each has 43,200 readings of five values")
	flag.IntVar(&b.stations, "stations", 6, "stations of backfill; each drops in 17,280 files of ten rows, 60 days")
	flag.DurationVar(&b.delayFor, "delay-for", 20*time.Second, "length of a delay round")
	flag.DurationVar(&b.fanOutFor, "fanout-for", 10*time.Second, "length of a fanout round")
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
	measures, err := b.chosen()
	if err != nil {
		return err
	}
	defer func() { os.RemoveAll(b.dir) }()
	if err := b.prepare(ctx, measures); err != nil {
		return err
	}
	b.machine()
	for _, m := range measures {
		if err := b.measure(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// measures are all tables, in the order in which they are printed.
func (b *bench) measures() []measure {
	return slices.Concat(b.throughputs(), b.promises(), b.delays(), b.backfills(), b.fanOuts(), b.catchUps(), b.memories(), b.recoveries(), b.disks(), b.coldStarts(), b.registries())
}

// chosen are the tables that were asked for. A part that does not exist is an
// error: it would be a row missing from a report, unnoticed.
func (b *bench) chosen() ([]measure, error) {
	all := b.measures()
	for _, part := range b.parts {
		if part != "all" && !slices.ContainsFunc(all, func(m measure) bool { return m.part == part }) {
			return nil, fmt.Errorf("there is no part %q; -h lists them", part)
		}
	}
	var some []measure
	for _, m := range all {
		if !slices.Contains(b.parts, "all") && !slices.Contains(b.parts, m.part) {
			continue
		}
		m.contenders = slices.DeleteFunc(m.contenders, func(c contender) bool { return !b.wanted(c.name) && !b.wanted(m.title) })
		if len(m.contenders) > 0 {
			some = append(some, m)
		}
	}
	return some, nil
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
