package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats"
	"haidang/ingest/sentences"
	"haidang/ingest/stationfiles"
)

// SourceConfig is one way by which a foreign format comes in: an MQTT topic, a
// folder, or a port. With none of them it is taken over HTTP only, as
// POST /api/v1/formats/NAME, where every source is taken too.
type SourceConfig struct {
	Name   string `toml:"name"`
	Format string `toml:"format"` // of ingest/formats
	// Topic is an MQTT topic filter outside ioc/v1.
	Topic string `toml:"topic"`
	// From are the devices that may publish on Topic in the embedded broker,
	// beside their own topics: a gateway, a vendor's feed.
	From []devices.ID `toml:"from"`
	// Folder is watched for files. A file that did not change for Rest is taken,
	// one that looks cut off after six times that; 20 s unless given.
	Folder string   `toml:"folder"`
	Rest   Duration `toml:"rest"`
	// Listen is tcp://host:port or udp://host:port, Connect a server at
	// tcp://host:port.
	Listen  string         `toml:"listen"`
	Connect string         `toml:"connect"`
	Options map[string]any `toml:"options"` // the format's own
}

// maxRest is for how long a file may be left lying: six times that is two hours.
const maxRest = Duration(20 * time.Minute)

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// builtIn are the formats that are taken over HTTP without being configured.
var builtIn = []string{"lineprotocol", "osmand", "indicator", "senml"}

// sources are the configured and built-in formats, ready for use.
type sources struct {
	configs []SourceConfig
	byName  map[string]*ingest.Format
}

// makeSources builds every decoder; an error names the source and the option.
func makeSources(configs []SourceConfig) (*sources, error) {
	s := &sources{configs: configs, byName: map[string]*ingest.Format{}}
	for _, name := range builtIn {
		if err := s.add(name, name, nil); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for i, c := range configs {
		if !sourceName.MatchString(c.Name) {
			return nil, fmt.Errorf("source %d: name %q must be 1 to 32 small letters, digits or '-', beginning with a letter", i+1, c.Name)
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("source %s: the name is used twice", c.Name)
		}
		seen[c.Name] = true
		ways := 0
		for _, way := range []string{c.Topic, c.Folder, c.Listen, c.Connect} {
			if way != "" {
				ways++
			}
		}
		if ways > 1 {
			return nil, fmt.Errorf("source %s: give one of topic, folder, listen and connect", c.Name)
		}
		if c.Topic != "" {
			if err := ingest.CheckFilter(c.Topic); err != nil {
				return nil, fmt.Errorf("source %s: %w", c.Name, err)
			}
		} else if len(c.From) > 0 {
			return nil, fmt.Errorf("source %s: from says who may publish on topic, but there is no topic", c.Name)
		}
		if c.Rest < 0 || c.Rest > maxRest {
			return nil, fmt.Errorf("source %s: rest is %s; it must be from 0 to %s", c.Name, c.Rest, maxRest)
		}
		for _, id := range c.From {
			if _, err := devices.ParseID(string(id)); err != nil {
				return nil, fmt.Errorf("source %s: from: %w", c.Name, err)
			}
		}
		if err := s.add(c.Name, c.Format, c.Options); err != nil {
			return nil, fmt.Errorf("source %s: %w", c.Name, err)
		}
	}
	return s, nil
}

func (s *sources) add(name, format string, o formats.Options) error {
	d, err := formats.New(format, o)
	if err != nil {
		return err
	}
	s.byName[name] = &ingest.Format{Name: name, Decoder: d, Version: decoderVersion(o)}
	return nil
}

// decoderVersion is the program's and, with options, what tells these from
// others.
func decoderVersion(o formats.Options) string {
	if len(o) == 0 {
		return version
	}
	h := fnv.New32a()
	json.NewEncoder(h).Encode(o) // in order of the keys
	return fmt.Sprintf("%s+%08x", version, h.Sum32())
}

// Format finds a decoder by its source's name.
func (s *sources) Format(name string) (*ingest.Format, bool) {
	f, ok := s.byName[name]
	return f, ok
}

// feeds are the sources that come over MQTT.
func (s *sources) feeds() (fs []ingest.Feed, filters []string) {
	for _, c := range s.configs {
		if c.Topic != "" {
			fs = append(fs, ingest.Feed{Filter: c.Topic, Format: s.byName[c.Name]})
			filters = append(filters, c.Topic)
		}
	}
	return fs, filters
}

// expected are the ways by which the configuration expects something.
func (s *sources) expected() []ingest.SourceID {
	ids := []ingest.SourceID{{Name: "native", Via: "mqtt"}}
	for _, c := range s.configs {
		via := "http"
		switch {
		case c.Topic != "":
			via = "mqtt"
		case c.Folder != "":
			via = "file"
		case c.Listen != "" || c.Connect != "":
			via = "line"
		}
		ids = append(ids, ingest.SourceID{Name: c.Name, Via: via})
	}
	return ids
}

// grants are the topics on which devices may publish beside their own.
func (s *sources) grants() map[string][]string {
	by := map[string][]string{}
	for _, c := range s.configs {
		for _, id := range c.From {
			by[id.Key()] = append(by[id.Key()], c.Topic)
		}
	}
	return by
}

// runner is a source of its own goroutine.
type runner struct {
	name string
	run  func(context.Context) error
}

// folder is a source that watches one.
type folder struct {
	name string
	*stationfiles.Folder
}

// sourceProblems says what is wrong with a source's files, by its name.
func (a *app) sourceProblems(name string) (ps []ingest.SourceProblem) {
	for _, f := range a.folders {
		if f.name == name {
			ps = append(ps, f.Problems()...)
		}
	}
	return ps
}

// runners opens the folders and ports.
func (a *app) runners() (rs []runner, err error) {
	for _, c := range a.sources.configs {
		f := a.sources.byName[c.Name]
		switch {
		case c.Folder != "":
			w, err := stationfiles.New(stationfiles.Options{Dir: c.Folder, Rest: time.Duration(c.Rest), Log: a.log,
				Take: func(ctx context.Context, in ingest.Input) (ingest.Outcome, error) {
					return a.pipeline.Take(ctx, "file", f, in)
				},
				Refuse: func(ctx context.Context, in ingest.Input, size int64, r *ingest.Refusal) error {
					return a.pipeline.Refuse(ctx, "file", f, in, size, r)
				}})
			if err != nil {
				return nil, fmt.Errorf("source %s: %w", c.Name, err)
			}
			rs = append(rs, runner{"source " + c.Name, w.Run})
			a.folders = append(a.folders, folder{c.Name, w})
		case c.Listen != "" || c.Connect != "":
			l, err := sentences.New(sentences.Options{Name: c.Name, URL: c.Listen + c.Connect, Connect: c.Connect != "", Log: a.log,
				Take: func(ctx context.Context, in ingest.Input) error {
					return a.pipeline.Submit(ctx, ingest.Message{Source: "line", Sender: in.Sender, Format: f, Topic: in.Topic, Payload: in.Payload, ReceivedAt: in.ReceivedAt})
				}})
			if err != nil {
				return nil, fmt.Errorf("source %s: %w", c.Name, err)
			}
			rs = append(rs, runner{"source " + c.Name, l.Run})
		}
	}
	return rs, nil
}
