// Package formats knows the decoders of foreign formats by name.
package formats

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"haidang/ingest"
	"haidang/ingest/formats/chirpstack"
	"haidang/ingest/formats/indicator"
	"haidang/ingest/formats/lineprotocol"
	"haidang/ingest/formats/mapping"
	"haidang/ingest/formats/nmea"
	"haidang/ingest/formats/onvif"
	"haidang/ingest/formats/osmand"
	"haidang/ingest/formats/senml"
	"haidang/ingest/formats/station"
	"haidang/ingest/formats/thingsboard"
	"haidang/ingest/formats/ttn"
	"haidang/ingest/formats/vms"
)

// Options are a source's own settings, as the configuration has them.
type Options = map[string]any

type prefixed struct {
	Prefix string `toml:"prefix"` // put before each sender's own name
}

var makers = map[string]func(Options) (ingest.Decoder, error){
	"chirpstack":   plain(chirpstack.New()),
	"ttn":          plain(ttn.New()),
	"station":      with(func(o station.Options) (ingest.Decoder, error) { return station.New(o), nil }),
	"osmand":       plain(osmand.New()),
	"indicator":    plain(indicator.New()),
	"senml":        with(func(o prefixed) (ingest.Decoder, error) { return senml.New(o.Prefix), nil }),
	"vms":          with(func(o prefixed) (ingest.Decoder, error) { return vms.New(o.Prefix), nil }),
	"lineprotocol": with(func(o lineprotocol.Options) (ingest.Decoder, error) { return lineprotocol.New(o), nil }),
	"thingsboard":  with(func(o thingsboard.Options) (ingest.Decoder, error) { return thingsboard.New(o) }),
	"onvif":        with(func(o onvif.Options) (ingest.Decoder, error) { return onvif.New(o), nil }),
	"nmea":         with(func(o nmea.Options) (ingest.Decoder, error) { return nmea.New(o) }),
	"mapping":      with(func(o mapping.Options) (ingest.Decoder, error) { return mapping.New(o) }),
}

// Names lists the formats.
func Names() []string { return slices.Sorted(maps.Keys(makers)) }

// New makes the decoder of a format; an error names what is wrong with the
// options.
func New(name string, o Options) (ingest.Decoder, error) {
	make, ok := makers[name]
	if !ok {
		return nil, fmt.Errorf("format %q is unknown; known are %s", name, strings.Join(Names(), ", "))
	}
	d, err := make(o)
	if err != nil {
		return nil, fmt.Errorf("options of format %s: %w", name, err)
	}
	return d, nil
}

func plain(d ingest.Decoder) func(Options) (ingest.Decoder, error) {
	return with(func(struct{}) (ingest.Decoder, error) { return d, nil })
}

// with reads options strictly: a key that does not exist is an error.
func with[T any](make func(T) (ingest.Decoder, error)) func(Options) (ingest.Decoder, error) {
	return func(o Options) (ingest.Decoder, error) {
		var t T
		if len(o) > 0 {
			b, err := toml.Marshal(o)
			if err != nil {
				return nil, err
			}
			d := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields()
			if err := d.Decode(&t); err != nil {
				if strict, ok := err.(*toml.StrictMissingError); ok {
					return nil, fmt.Errorf("there is no option like this:\n%s", strict.String())
				}
				return nil, err
			}
		}
		return make(t)
	}
}
