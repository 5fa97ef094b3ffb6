package senml

import (
	"math"
	"slices"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// pack is a list of records on its way.
type pack struct {
	base
	prefix string
	now    time.Time
	groups []*group
	known  map[key]*group
}

// base are the fields that hold until they are given anew.
type base struct {
	name, unit     string
	time, val, sum float64
	hasVal, hasSum bool
}

type key struct {
	device devices.ID
	at     time.Time
}

// group is what the records of one device and time say.
type group struct {
	ingest.Item
	lat, lon *float64
	where    [2]string // the metrics that would be latitude and longitude alone
	records  []any     // resolved, to be read on their own
}

// understood says which versions are: up to RFC 8428's own, and the one
// that RFC 9100 gives to packs with the secondary units of RFC 8798.
func understood(version float64) bool {
	return version >= 1 && version <= 10 && version == math.Trunc(version) || version == 26
}

// texts and numbers are the fields of each kind.
var (
	texts   = []string{"bn", "bu", "n", "u", "vs", "vd"}
	numbers = []string{"bt", "bv", "bs", "v", "s", "t", "ut", "bver"}
)

// maxText bounds a name and a unit, in bytes: base fields stand in every record
// that is resolved.
const maxText = 255

// check holds a record to what RFC 8428 says of its fields, whatever they say.
func check(o map[string]any) *ingest.Refusal {
	values := 0
	for _, field := range object.Keys(o) {
		v := o[field]
		var ok bool
		want := ""
		switch {
		case strings.HasSuffix(field, "_"):
			return object.Refuse("field_unknown", "the field %.40q must be understood, and is not", field)
		case slices.Contains(texts, field):
			var s string
			s, ok = v.(string)
			want = "a string"
			if len(s) > maxText && field[0] != 'v' {
				return object.Refuse("name_invalid", "%s has %d bytes; at most %d are taken", field, len(s), maxText)
			}
		case slices.Contains(numbers, field):
			_, ok = v.(float64)
			want = "a number"
		case field == "vb":
			_, ok = v.(bool)
			want = "a boolean"
		default:
			continue
		}
		if !ok {
			return object.Refuse("type_wrong", "%s must be %s, not %s", field, want, object.Kind(v))
		}
		if field[0] == 'v' {
			values++
		}
	}
	if values > 1 {
		return object.Refuse("value_twice", "it has %d values; one of v, vb, vs and vd is wanted", values)
	}
	if version, ok := o["bver"].(float64); ok && !understood(version) {
		return object.Refuse("version_unknown", "version %g of SenML is not understood; 10 and 26 are", version)
	}
	return nil
}

func (p *pack) record(o map[string]any) *ingest.Refusal {
	for field, into := range map[string]*string{"bn": &p.name, "bu": &p.unit} {
		if s, ok := o[field].(string); ok {
			*into = s
		}
	}
	for field, into := range map[string]*float64{"bt": &p.time, "bv": &p.val, "bs": &p.sum} {
		if x, ok := o[field].(float64); ok {
			*into = x
			p.hasVal, p.hasSum = p.hasVal || field == "bv", p.hasSum || field == "bs"
		}
	}
	x, sum, isValue, isSum := p.numbers(o)
	if !isValue && !isSum {
		return nil // base fields alone, text or data
	}
	device, metric, r := split(p.prefix, p.name+object.String(o, "n"))
	if r != nil {
		return r
	}
	t, _ := o["t"].(float64)
	at, r := when(p.time+t, p.now)
	if r != nil {
		return r
	}
	g := p.group(device, at)
	unit := object.String(o, "u")
	if unit == "" {
		unit = p.unit
	}
	resolved := map[string]any{"n": p.name + object.String(o, "n")}
	g.records = append(g.records, resolved)
	if !at.IsZero() {
		resolved["t"] = float64(at.UnixMilli()) / 1000
	}
	if isValue {
		resolved["u"], resolved["v"] = unit, x
		switch {
		case unit == "lat" && g.lat == nil:
			g.lat, g.where[0] = &x, metric
		case unit == "lon" && g.lon == nil:
			g.lon, g.where[1] = &x, metric
		default:
			if unit != "" {
				g.Units[metric] = unit
			}
			if r := object.Add(&g.Reading.Values, metric, x); r != nil {
				return r
			}
		}
	}
	if isSum {
		resolved["s"] = sum
		return object.Add(&g.Reading.Values, metric+"_sum", sum)
	}
	return nil
}

// numbers are a record's value and sum with their bases. Of a base and its
// field one may be missing, and then is zero (RFC 8428, 4.5.4); a record of
// base fields alone measures nothing.
func (p *pack) numbers(o map[string]any) (val, sum float64, isValue, isSum bool) {
	if on, ok := o["vb"].(bool); ok {
		if on {
			val = 1
		}
		return val, 0, true, false
	}
	if o["vs"] != nil || o["vd"] != nil {
		return 0, 0, false, false
	}
	measures := false
	for _, field := range [...]string{"n", "u", "v", "s", "t"} {
		measures = measures || o[field] != nil
	}
	val, isValue = o["v"].(float64)
	sum, isSum = o["s"].(float64)
	return val + p.val, sum + p.sum, isValue || measures && p.hasVal, isSum || measures && p.hasSum
}

func (p *pack) group(device devices.ID, at time.Time) *group {
	k := key{device, at}
	g := p.known[k]
	if g == nil {
		g = &group{Item: ingest.Item{Device: device, Reading: &ingest.Reading{FixTime: at, Seq: ingest.NoSeq}, Units: map[string]string{}}}
		p.known[k], p.groups = g, append(p.groups, g)
	}
	return g
}

// place makes a position of latitude and longitude; one alone stays a value.
func (g *group) place() *ingest.Refusal {
	if g.lat != nil && g.lon != nil {
		g.Reading.Position = &devices.Position{Lat: *g.lat, Lon: *g.lon}
		return nil
	}
	for i, x := range [...]*float64{g.lat, g.lon} {
		if x != nil {
			return object.Add(&g.Reading.Values, g.where[i], *x)
		}
	}
	return nil
}
