package nmea

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/nmea/ais"
	"haidang/ingest/formats/object"
)

// Options say what sentences do not.
type Options struct {
	// Device is whose the positions of RMC and GGA are; empty: they are refused.
	Device string `toml:"device"`
	// Prefix is put before an MMSI; "ais-" unless given.
	Prefix string `toml:"prefix"`
}

// Decoder reads lines of sentences. It joins fragments across payloads.
type Decoder struct {
	o  Options
	me devices.ID

	mu    sync.Mutex
	parts map[string]*fragments
}

// fragments are the parts of one message that came so far.
type fragments struct {
	parts []string
	have  int
	fill  int
	at    time.Time
	first time.Time
}

const (
	// joinWithin is how long the parts of one message may be apart.
	joinWithin = 5 * time.Second
	maxOpen    = 1024
	maxLines   = 20_000
)

// New makes a decoder.
func New(o Options) (*Decoder, error) {
	d := &Decoder{o: o, parts: map[string]*fragments{}}
	if d.o.Prefix == "" {
		d.o.Prefix = "ais-"
	}
	if o.Device != "" {
		var err error
		if d.me, err = devices.ParseID(o.Device); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Decode implements ingest.Decoder.
func (d *Decoder) Decode(in ingest.Input) []ingest.Item {
	var items []ingest.Item
	n := 0
	for line := range bytes.Lines(in.Payload) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		if n > maxLines {
			return object.One(object.Refuse("payload_too_long", "at most %d sentences are taken at once", maxLines))
		}
		it, r := d.line(text, in.ReceivedAt)
		if r != nil {
			it = &ingest.Item{Refusal: r}
		}
		if it != nil {
			it.Raw = bytes.TrimSpace(line)
			if n > 1 {
				it.Where = "line " + strconv.Itoa(n)
			}
			items = append(items, *it)
		}
	}
	return items
}

func (d *Decoder) line(text string, received time.Time) (*ingest.Item, *ingest.Refusal) {
	s, r := parse(text)
	if r != nil {
		return nil, r
	}
	switch s.kind {
	case "VDM", "VDO":
		return d.vdm(s, received)
	case "RMC":
		return d.rmc(s)
	case "GGA", "VTG", "GSA", "GSV", "GLL", "ZDA", "TXT", "ALR":
		return nil, nil // RMC says the same, or nothing that is kept
	}
	return nil, object.Refuse("sentence_unknown", "%.20q is no sentence that is read; AIVDM and RMC are", s.fields[0])
}

func (d *Decoder) vdm(s sentence, received time.Time) (*ingest.Item, *ingest.Refusal) {
	f := s.fields
	if len(f) != 7 {
		return nil, object.Refuse("columns_wrong", "an AIVDM sentence has 7 fields, not %d", len(f))
	}
	total, err1 := strconv.Atoi(f[1])
	number, err2 := strconv.Atoi(f[2])
	fill, err3 := strconv.Atoi(f[6])
	if err1 != nil || err2 != nil || err3 != nil || total < 1 || total > 9 || number < 1 || number > total || fill < 0 || fill > 5 {
		return nil, object.Refuse("fragment_invalid", "fragment %.8q of %.8q with %.8q fill bits cannot be", f[2], f[1], f[6])
	}
	payload := f[5]
	if total > 1 {
		whole := d.join(s, received, total, number, fill)
		if whole == nil {
			return nil, nil // it waits for the rest
		}
		payload, fill, s.at = strings.Join(whole.parts, ""), whole.fill, whole.at
	}
	m, err := ais.Decode(payload, fill)
	if err != nil {
		return nil, object.Refuse("ais_invalid", "%s", err)
	}
	if m == nil {
		return nil, nil
	}
	return d.item(m, s.at)
}

// join keeps a fragment; it returns all of them once they are complete.
func (d *Decoder) join(s sentence, received time.Time, total, number, fill int) *fragments {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := s.fields[1] + "," + s.fields[3] + "," + s.fields[4]
	p := d.parts[key]
	if p == nil || received.Sub(p.first) > joinWithin || p.parts[number-1] != "" {
		if len(d.parts) >= maxOpen {
			d.forget(received)
		}
		p = &fragments{parts: make([]string, total), first: received}
		d.parts[key] = p
	}
	p.parts[number-1] = s.fields[5]
	p.have++
	if !s.at.IsZero() && p.at.IsZero() {
		p.at = s.at
	}
	if number == total {
		p.fill = fill
	}
	if p.have < total {
		return nil
	}
	delete(d.parts, key)
	return p
}

// forget drops what will never be complete, and all when that is not enough.
func (d *Decoder) forget(now time.Time) {
	for k, p := range d.parts {
		if now.Sub(p.first) > joinWithin {
			delete(d.parts, k)
		}
	}
	if len(d.parts) >= maxOpen {
		clear(d.parts)
	}
}

// beacons are the MMSI prefixes of distress equipment.
var beacons = map[uint32]string{970: "sart", 972: "mob", 974: "epirb"}

func (d *Decoder) item(m *ais.Message, at time.Time) (*ingest.Item, *ingest.Refusal) {
	id, r := object.DeviceID(d.o.Prefix, strings.Repeat("0", max(0, 9-len(strconv.FormatUint(uint64(m.MMSI), 10))))+strconv.FormatUint(uint64(m.MMSI), 10))
	if r != nil {
		return nil, r
	}
	it := &ingest.Item{Device: id}
	var where *devices.Position
	if m.HasPosition && (m.Lat != 0 || m.Lon != 0) {
		where = &devices.Position{Lat: m.Lat, Lon: m.Lon}
	}
	beacon, distress := beacons[m.MMSI/1_000_000]
	switch {
	case distress:
		data, _ := json.Marshal(map[string]any{"beacon": beacon, "mmsi": m.MMSI, "nav_status": m.Numbers["nav_status"]})
		it.Event = &ingest.Event{FixTime: at, Type: "distress", Severity: "critical", Position: where, Data: data}
	case m.Static():
		data := map[string]any{"mmsi": m.MMSI}
		for k, v := range m.Numbers {
			data[k] = v
		}
		for k, v := range m.Texts {
			data[k] = v
		}
		b, err := json.Marshal(data)
		if err != nil {
			return nil, object.Refuse("ais_invalid", "%s", err)
		}
		it.Event = &ingest.Event{FixTime: at, Type: "vessel_static", Data: b}
	default:
		rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq, Position: where}
		for _, name := range []string{"speed_kn", "course_deg", "heading_deg", "nav_status", "ship_type"} {
			if x, ok := m.Numbers[name]; ok {
				rd.Values = append(rd.Values, ingest.Value{Metric: name, Number: x})
			}
		}
		if where == nil && len(rd.Values) == 0 {
			return nil, nil // it knows nothing of itself
		}
		it.Reading = rd
	}
	return it, nil
}

// rmc reads a receiver's own position.
func (d *Decoder) rmc(s sentence) (*ingest.Item, *ingest.Refusal) {
	f := s.fields
	if len(f) < 10 {
		return nil, object.Refuse("columns_wrong", "an RMC sentence has at least 10 fields, not %d", len(f))
	}
	if d.me == "" {
		return nil, object.Refuse("device_missing", "an RMC sentence does not say whose it is: name the device in the source's options")
	}
	if f[2] != "A" {
		return nil, nil // no fix
	}
	at, r := clock(f[1], f[9])
	if r != nil {
		return nil, r
	}
	lat, ok1 := degrees(f[3], f[4], 2)
	lon, ok2 := degrees(f[5], f[6], 3)
	if !ok1 || !ok2 {
		return nil, object.Refuse("position_invalid", "%.20q %.4q, %.20q %.4q is no position (ddmm.mmmm, dddmm.mmmm)", f[3], f[4], f[5], f[6])
	}
	rd := &ingest.Reading{FixTime: at, Seq: ingest.NoSeq, Position: &devices.Position{Lat: lat, Lon: lon}}
	for i, name := range map[int]string{7: "speed_kn", 8: "course_deg"} {
		if f[i] == "" {
			continue
		}
		x, err := strconv.ParseFloat(f[i], 64)
		if err != nil || strings.ContainsAny(f[i], "xXpP_nN") {
			return nil, object.Refuse("number_invalid", "%s is %.20q, which is no number", name, f[i])
		}
		if r := object.Add(&rd.Values, name, x); r != nil {
			return nil, r
		}
	}
	return &ingest.Item{Device: d.me, Reading: rd}, nil
}
