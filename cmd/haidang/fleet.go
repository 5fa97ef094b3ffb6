package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/health"
)

// fleet tells Prometheus how devices and commands do, counted when it asks.
type fleet struct {
	*app
	states func() map[devices.Freshness]int
}

var (
	fleetHealth = prometheus.NewDesc("haidang_health_devices", "Devices in service by how they do: live, late, silent, dead, never heard.", []string{"state"}, nil)
	fleetLives  = prometheus.NewDesc("haidang_devices_registered", "Registered devices by where they stand in their life.", []string{"life"}, nil)
	fleetOpen   = prometheus.NewDesc("haidang_commands_open", "Commands that have not come to their end, by state.", []string{"state"}, nil)
	fleetEnded  = prometheus.NewDesc("haidang_commands_ended_total", "Commands that came to their end, by how.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (f *fleet) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{fleetHealth, fleetLives, fleetOpen, fleetEnded} {
		to <- d
	}
}

// Collect implements prometheus.Collector. Each state is told, also when nothing
// is in it: what is missing cannot be compared with anything.
func (f *fleet) Collect(to chan<- prometheus.Metric) {
	states := f.states()
	for _, s := range []devices.Freshness{devices.Live, devices.Late, devices.Silent, health.Dead, devices.Never} {
		to <- prometheus.MustNewConstMetric(fleetHealth, prometheus.GaugeValue, float64(states[s]), string(s))
	}
	for _, l := range devices.Lives() {
		n := f.registry.Count(devices.Filter{Lives: []devices.Life{l}})
		to <- prometheus.MustNewConstMetric(fleetLives, prometheus.GaugeValue, float64(n), string(l))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := f.commands.Counts(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(fleetOpen, err)
		return
	}
	for _, s := range commands.States {
		if s.IsOpen() {
			to <- prometheus.MustNewConstMetric(fleetOpen, prometheus.GaugeValue, float64(counts[s]), string(s))
		} else {
			to <- prometheus.MustNewConstMetric(fleetEnded, prometheus.CounterValue, float64(counts[s]), string(s))
		}
	}
}
