package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"haidang/devices"
	firmwaresim "haidang/firmware-sim"
)

type demoCmd struct {
	Data            string  `help:"The data folder; a temporary one is used and removed at the end when none is named." type:"path"`
	HTTP            string  `name:"http" default:"127.0.0.1:8080" help:"host:port of pages and API, on loopback; port 0 picks one."`
	MQTT            string  `name:"mqtt" default:"127.0.0.1:1883" help:"host:port of MQTT, on loopback; port 0 picks one."`
	NoSim           bool    `help:"Start without the simulator."`
	RegisterUnknown bool    `help:"Make devices never seen before known as type generic."`
	Scenario        string  `default:"quang-binh" help:"The simulator's scenario: a name that ships, or a file."`
	TimeFactor      float64 `default:"60" help:"How much faster than life the simulator runs."`
	Devices         int     `help:"How many devices to simulate; 0 means the scenario's own."`
	Seed            uint64  `default:"1" help:"The simulator's seed: the same seed, the same stream."`
}

func (d *demoCmd) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	for flag, addr := range map[string]string{"--http": d.HTTP, "--mqtt": d.MQTT} {
		if !isLoopback(addr) {
			return fmt.Errorf("demo has no passwords and so listens only on this machine, not on %s %s; use serve to be reached from elsewhere", flag, addr)
		}
	}
	cfg := DefaultConfig()
	cfg.HTTP, cfg.MQTT, cfg.Data = d.HTTP, d.MQTT, d.Data
	if d.RegisterUnknown {
		cfg.UnknownDevices = "register"
	}
	if cfg.Data == "" {
		dir, err := os.MkdirTemp("", "haidang-demo-")
		if err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		defer os.RemoveAll(dir)
		cfg.Data = dir
	}
	var err error
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return err
	}
	scenario, err := firmwaresim.Load(d.Scenario)
	if err != nil {
		return err
	}
	a, err := build(ctx, cfg, true, log)
	if err != nil {
		return err
	}
	fleet := d.fleet(scenario)
	for i := range fleet { // what somebody changed in an earlier demo stays
		if old, ok := a.registry.Get(fleet[i].ID); ok {
			kept := *old
			kept.Interval = fleet[i].Interval
			fleet[i] = kept
		}
	}
	if err := a.registry.Upsert(ctx, fleet); err != nil {
		return err
	}
	return a.run(ctx, func() {
		d.greet(out, a)
		a.banner(out)
		if !d.NoSim {
			go func() {
				err := firmwaresim.Run(ctx, scenario, firmwaresim.Options{MQTT: a.mqttURL, HTTP: a.httpURL, Devices: d.Devices, TimeFactor: d.TimeFactor, Seed: d.Seed, Log: log})
				if err != nil && ctx.Err() == nil {
					log.Error("the simulator ended", "error", err)
				}
			}()
		}
	})
}

// fleet registers what the simulator plays, with intervals as fast as it
// plays them. Without the simulator devices keep their real intervals.
func (d *demoCmd) fleet(s *firmwaresim.Scenario) []devices.Device {
	fleet := s.Devices()
	if d.Devices > 0 {
		fleet = s.Fleet(d.Devices)
	}
	var ds []devices.Device
	for i, f := range fleet {
		o := demoOwners[f.Type]
		dev := devices.Device{ID: devices.ID(f.ID), Type: devices.TypeID(f.Type), Name: f.Name, Area: f.Area, CreatedAt: time.Now().UTC(),
			Agency: o.agency, Network: o.network, Vendor: demoVendors[i%len(demoVendors)]}
		if !f.Mobile() {
			dev.Position = &devices.Position{Lat: f.Lat, Lon: f.Lon}
		}
		if !d.NoSim && d.TimeFactor > 1 {
			dev.Interval = max(time.Duration(float64(f.Interval)/d.TimeFactor).Round(time.Second), 2*time.Second)
		}
		ds = append(ds, dev)
	}
	return ds
}

// demoOwners are whose devices of a type are, and over what they speak; with
// demoVendors, which are made up, they let the demonstration show how devices do
// by each.
var demoOwners = map[string]struct{ agency, network string }{
	"air_station":    {"so-nnmt", "4G"},
	"waste_water":    {"so-nnmt", "4G"},
	"water_level":    {"so-nnmt", "4G"},
	"rain_gauge":     {"so-nnmt", "4G"},
	"reservoir":      {"so-nnmt", "Cáp quang"},
	"traffic_camera": {"cong-an-tinh", "Cáp quang"},
	"fishing_vessel": {"so-nnmt", "Vệ tinh"},
	"vehicle":        {"cty-moi-truong-do-thi", "4G"},
}

var demoVendors = []string{"Nhà cung cấp An Bình", "Nhà cung cấp Hải Vân", "Nhà cung cấp Sông Gianh"}

func (d *demoCmd) greet(out io.Writer, a *app) {
	fmt.Fprintf(out, `
  Hải Đăng – bản trình diễn / demonstration

  Màn hình trung tâm / wall      %[1]s/wall
  Bảng điều hành / console       %[1]s/bang
  Phản ánh hiện trường / report  %[1]s/phan-anh
  Tổ hiện trường / crew          %[1]s/to
  MQTT                           %[2]s

  OPEN: whoever is on this machine may do everything, without a password.
  Data: %[3]s
  Stop with Ctrl+C.

`, a.httpURL, a.mqttURL, a.cfg.Data)
}
