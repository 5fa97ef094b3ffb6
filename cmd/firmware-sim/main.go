// Command firmware-sim plays a province of devices against a broker.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	firmwaresim "haidang/firmware-sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "firmware-sim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var (
		flags    = flag.NewFlagSet("firmware-sim", flag.ContinueOnError)
		broker   = flags.String("mqtt", "tcp://127.0.0.1:1883", "the broker's address")
		web      = flags.String("http", "", "base URL that takes citizens' reports; empty sends none")
		scenario = flags.String("scenario", firmwaresim.DefaultScenario, "a shipped scenario ("+strings.Join(firmwaresim.Shipped(), ", ")+") or a YAML file")
		devices  = flags.Int("devices", 0, "how many devices; 0 is as many as the scenario has")
		factor   = flags.Float64("time-factor", 1, "60 makes an hour of the province pass in a minute")
		seed     = flags.Uint64("seed", 1, "same seed, same stream")
		dry      = flags.Bool("dry-run", false, "print the stream as JSON lines, connect to nothing")
		length   = flags.Duration("for", 0, "stop after this time; a dry run prints this much (default 1m), any other runs until stopped")
		start    = flags.String("start", "2026-01-01T00:00:00Z", "start of a dry run, from which its fix times are counted")
		verbose  = flags.Bool("v", false, "log each lost connection")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; try --help", flags.Arg(0))
	}
	if *devices < 0 || *factor <= 0 || *length < 0 {
		return errors.New("--devices and --for must not be below zero, --time-factor must be above it")
	}
	s, err := firmwaresim.Load(*scenario)
	if err != nil {
		return err
	}
	if *dry {
		at, err := time.Parse(time.RFC3339, *start)
		if err != nil {
			return fmt.Errorf("--start %q is not a time such as 2026-01-01T00:00:00Z", *start)
		}
		if *length == 0 {
			*length = time.Minute
		}
		return firmwaresim.DryRun(os.Stdout, s, firmwaresim.StreamOptions{Devices: *devices, TimeFactor: *factor, Seed: *seed, Start: at}, *length)
	}
	if *length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *length)
		defer cancel()
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return firmwaresim.Run(ctx, s, firmwaresim.Options{
		MQTT: *broker, HTTP: *web, Devices: *devices, TimeFactor: *factor, Seed: *seed, Log: log,
	})
}
