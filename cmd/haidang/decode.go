package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats"
)

type decodeCmd struct {
	As     string         `required:"" help:"native, a format (${formats}) or, with --config, the name of a source."`
	Config string         `help:"The configuration whose sources and times are meant." type:"path"`
	Type   devices.TypeID `help:"The type that its devices have; one that fits the format unless given."`
	Topic  string         `help:"The topic it came on; the file's name unless given, and a device's readings or events for native."`
	File   string         `arg:"" help:"The payload; - is standard input."`
}

// usualTypes are what sends in a format, mostly.
var usualTypes = map[string]devices.TypeID{"station": "air_station", "nmea": "fishing_vessel", "vms": "fishing_vessel", "onvif": "traffic_camera"}

// decodedValue and decoded are what a payload would become, for people.
type decodedValue struct {
	Value   float64 `json:"value"`
	Unit    string  `json:"unit,omitempty"`
	Quality string  `json:"quality,omitempty"` // when it is not good
}

type decoded struct {
	Device     devices.ID              `json:"device,omitempty"`
	TS         *time.Time              `json:"ts,omitempty"`
	TimeSource string                  `json:"time_source,omitempty"` // when it is not the device
	Lateness   string                  `json:"lateness,omitempty"`
	Position   *devices.Position       `json:"position,omitempty"`
	Values     map[string]decodedValue `json:"values,omitempty"`
	Event      string                  `json:"event,omitempty"`
	Severity   string                  `json:"severity,omitempty"`
	Data       json.RawMessage         `json:"data,omitempty"`
	Refused    string                  `json:"refused,omitempty"`
	Stage      ingest.Stage            `json:"stage,omitempty"`
	Code       string                  `json:"code,omitempty"`
}

// run prints one JSON object for each reading, event and dead letter that the
// payload would become. It fails when nothing of it would be kept.
func (k *decodeCmd) run(out io.Writer) error {
	payload, err := k.payload()
	if err != nil {
		return fmt.Errorf("read payload: %w", err)
	}
	cfg, err := LoadConfig(k.Config)
	if err != nil {
		return err
	}
	var wrong []error
	cfg.Times.check(func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) })
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	f, usual, err := k.format(&cfg)
	if err != nil {
		return err
	}
	reg, err := everyDevice(cmp.Or(k.Type, usual, devices.TypeGeneric))
	if err != nil {
		return err
	}
	p := ingest.NewPipeline(ingest.Options{Registry: reg, Bounds: cfg.Times.bounds(), Log: slog.New(slog.DiscardHandler)})
	topic := cmp.Or(k.Topic, filepath.Base(k.File))
	if f == nil {
		topic = cmp.Or(k.Topic, nativeTopic(payload))
	}
	views := p.Preview(f, topic, payload, time.Now())
	refused := 0
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, v := range views {
		if v.Refusal != nil {
			refused++
		}
		if err := enc.Encode(reg.describe(v)); err != nil {
			return err
		}
	}
	if len(views) == 0 {
		fmt.Fprintln(os.Stderr, "the payload is sound, and nothing of it is kept")
	}
	if refused == len(views) && refused > 0 {
		return errors.New("nothing of it would be kept")
	}
	return nil
}

// nativeTopic is where a device would send a payload: an event has a type, and
// no values.
func nativeTopic(payload []byte) string {
	if bytes.Contains(payload, []byte(`"type"`)) && !bytes.Contains(payload, []byte(`"values"`)) {
		return ingest.DeviceRoot + "device/events"
	}
	return ingest.DeviceRoot + "device/readings"
}

func (k *decodeCmd) payload() ([]byte, error) {
	if k.File == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, ingest.MaxForeign+1))
	}
	return os.ReadFile(k.File)
}

// format finds what reads the payload, nil for the native form, and the type of
// those who mostly send it.
func (k *decodeCmd) format(cfg *Config) (f *ingest.Format, usual devices.TypeID, err error) {
	if k.As == "native" {
		return nil, "", nil
	}
	if k.Config == "" {
		d, err := formats.New(k.As, nil)
		return &ingest.Format{Name: k.As, Decoder: d}, usualTypes[k.As], err
	}
	s, err := makeSources(cfg.Sources)
	if err != nil {
		return nil, "", err
	}
	f, ok := s.Format(k.As)
	if !ok {
		return nil, "", fmt.Errorf("%s has no source %q", k.Config, k.As)
	}
	usual = usualTypes[k.As]
	for _, c := range cfg.Sources {
		if c.Name == k.As {
			usual = usualTypes[c.Format]
		}
	}
	return f, usual, nil
}

// anyDevice is a registry in which every device is there, of one type that ships.
type anyDevice struct{ typ *devices.Type }

func everyDevice(typ devices.TypeID) (anyDevice, error) {
	c, err := devices.ShippedCatalog()
	if err != nil {
		return anyDevice{}, err
	}
	i := slices.IndexFunc(c.Types, func(t devices.Type) bool { return t.ID == typ })
	if i < 0 {
		return anyDevice{}, fmt.Errorf("there is no device type %q", typ)
	}
	return anyDevice{&c.Types[i]}, nil
}

// Get implements ingest.Registry.
func (a anyDevice) Get(id devices.ID) (*devices.Device, bool) {
	return &devices.Device{ID: id, Type: a.typ.ID}, true
}

// Type implements ingest.Registry.
func (a anyDevice) Type(id devices.TypeID) (*devices.Type, bool) { return a.typ, id == a.typ.ID }

// Discover implements ingest.Registry.
func (a anyDevice) Discover(_ context.Context, id devices.ID) (*devices.Device, error) {
	d, _ := a.Get(id)
	return d, nil
}

func (a anyDevice) describe(v ingest.Preview) decoded {
	d := decoded{Device: v.Device}
	switch {
	case v.Refusal != nil:
		d.Refused, d.Stage, d.Code = v.Refusal.Message, v.Refusal.Stage, v.Refusal.Code
	case v.Reading != nil:
		r := v.Reading
		d.TS, d.Lateness, d.Position, d.Values = &r.FixTime, r.Lateness.String(), r.Position, map[string]decodedValue{}
		d.TimeSource = ingest.TimeSource(r.TimeAssumed, r.TimeSuspect)
		for _, x := range r.Values {
			shown := decodedValue{Value: x.Number}
			if m := a.typ.Metric(x.Metric); m != nil {
				shown.Unit = m.Unit
			}
			if x.Quality != ingest.Good {
				shown.Quality = x.Quality.String()
			}
			d.Values[x.Metric] = shown
		}
	case v.Event != nil:
		e := v.Event
		d.TS, d.Lateness, d.Position, d.Event, d.Severity, d.Data = &e.FixTime, e.Lateness.String(), e.Position, e.Type, e.Severity, e.Data
		d.TimeSource = ingest.TimeSource(e.TimeAssumed, e.TimeSuspect)
	}
	if d.TimeSource == ingest.TimeFromDevice {
		d.TimeSource = ""
	}
	return d
}
