// Package vms reads the messages that vessel-monitoring vendors send to the
// national centre (Notice 1008/TB-TCTS-TTTS, 2019): a periodic position and
// SOS. The notice names the fields and their order, "close to NMEA RMC", but
// not the marks between them: commas are taken, with or without brackets
// around fields, and a checksum when there is one.
//
//	$MREF,Seqno,ID,hhmmss,A,ddmm.mmmm,N,dddmm.mmmm,E,speed,dir,ddmmyy
//	$MREF,ID,ddmm.mmmm,N,dddmm.mmmm,E,ddmmyy,hhmmss      (SOS)
//	[MREF][ID] ddmm.mmmm N dddmm.mmmm E ddmmyy hhmmss    (SOS, as the notice writes it)
//
// Times of the periodic message are Vietnam's, of SOS GMT.
package vms

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// Decoder reads vendors' messages, one a line.
type Decoder struct{ prefix string }

// New makes a decoder that puts prefix before each device's own name.
func New(prefix string) Decoder { return Decoder{prefix} }

const maxLines = 20_000

var vietnam = time.FixedZone("UTC+7", 7*3600)

// Decode implements ingest.Decoder.
func (d Decoder) Decode(in ingest.Input) []ingest.Item {
	var items []ingest.Item
	n := 0
	for line := range bytes.Lines(in.Payload) {
		n++
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		if n > maxLines {
			return object.One(object.Refuse("payload_too_long", "at most %d messages are taken at once", maxLines))
		}
		it, r := d.line(text)
		if r != nil {
			it = ingest.Item{Device: it.Device, Refusal: r}
		}
		it.Raw, it.Where = bytes.TrimSpace(line), "line "+strconv.Itoa(n)
		items = append(items, it)
	}
	if len(items) == 0 {
		return object.One(object.Refuse("payload_empty", "there is no message in it"))
	}
	return items
}

func (d Decoder) line(text string) (it ingest.Item, r *ingest.Refusal) {
	if len(text) > 400 {
		return it, object.Refuse("line_too_long", "a message has at most 400 bytes")
	}
	if r := object.Encoding([]byte(text)); r != nil {
		return it, r
	}
	text = strings.TrimPrefix(text, "$")
	if body, sum, ok := strings.Cut(text, "*"); ok {
		var x byte
		for i := range len(body) {
			x ^= body[i]
		}
		if want, err := strconv.ParseUint(sum, 16, 8); err != nil || len(sum) != 2 || byte(want) != x {
			return it, object.Refuse("checksum_wrong", "the checksum is %.8q, but the message gives %02X: it was changed on its way", sum, x)
		}
		text = body
	}
	f := fields(text)
	switch len(f) {
	case 12:
		return d.periodic(f)
	case 8:
		return d.sos(f)
	}
	return it, object.Refuse("columns_wrong", "a message has 12 fields (position) or 8 (SOS), not %d; a decimal comma would also give too many", len(f))
}

// fields parts a message at its commas and brackets. What stands behind the last
// bracket, as in the notice's form of SOS, is parted by blanks as well.
func fields(text string) []string {
	text, blanks := strings.TrimSpace(text), ""
	if end := strings.LastIndexByte(text, ']'); end > 0 && text[0] == '[' {
		text, blanks = brackets.ReplaceAllString(text[1:end], ","), text[end+1:]
	}
	f := strings.Split(text, ",")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	return append(f, strings.FieldsFunc(blanks, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' })...)
}

var brackets = regexp.MustCompile(`\]\s*\[`)

func (d Decoder) periodic(f []string) (it ingest.Item, r *ingest.Refusal) {
	if it.Device, r = object.DeviceID(d.prefix, f[2]); r != nil {
		return it, r
	}
	rd := &ingest.Reading{Seq: ingest.NoSeq}
	it.Reading = rd
	if n, err := strconv.ParseInt(f[1], 10, 64); err == nil && n >= 0 && n <= 1<<53 {
		rd.Seq = n
	} else {
		return it, object.Refuse("seq_invalid", "the sequence number %.20q is no whole number", f[1])
	}
	if rd.FixTime, r = moment(f[3], f[11], vietnam); r != nil {
		return it, r
	}
	switch f[4] {
	case "A":
		if rd.Position, r = position(f[5], f[6], f[7], f[8]); r != nil {
			return it, r
		}
	case "V": // no valid fix: a sign of life
		rd.Values = append(rd.Values, ingest.Value{Metric: "fix_valid", Number: 0})
		return it, nil
	default:
		return it, object.Refuse("state_unknown", "the state %.8q is unknown; known are A (valid fix) and V (none)", f[4])
	}
	for i, name := range [...]string{9: "speed_kn", 10: "course_deg"} {
		if name == "" || f[i] == "" {
			continue
		}
		x, ok := object.Decimal(f[i])
		if !ok {
			return it, object.Refuse("number_invalid", "%s is %.20q, which is no number", name, f[i])
		}
		if r := object.Add(&rd.Values, name, x); r != nil {
			return it, r
		}
	}
	return it, nil
}

func (d Decoder) sos(f []string) (it ingest.Item, r *ingest.Refusal) {
	if it.Device, r = object.DeviceID(d.prefix, f[1]); r != nil {
		return it, r
	}
	ev := &ingest.Event{Type: "distress", Severity: "critical", Data: []byte(`{"beacon":"vms_sos"}`)}
	it.Event = ev
	if ev.Position, r = position(f[2], f[3], f[4], f[5]); r != nil {
		return it, r
	}
	ev.FixTime, r = moment(f[7], f[6], time.UTC)
	return it, r
}

// moment reads ddmmyy and hhmmss, which RMC lets end in decimals.
func moment(hms, dmy string, zone *time.Location) (time.Time, *ingest.Refusal) {
	at, err := time.ParseInLocation("020106150405", dmy+hms, zone)
	if whole, _, _ := strings.Cut(hms, "."); err != nil || len(whole) != 6 || len(dmy) != 6 {
		return time.Time{}, object.Refuse("ts_invalid", "%.20q on %.20q is no time (hhmmss, ddmmyy)", hms, dmy)
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func position(lat, ns, lon, ew string) (*devices.Position, *ingest.Refusal) {
	y, ok1 := degrees(lat, ns, "N", "S")
	x, ok2 := degrees(lon, ew, "E", "W")
	if ok1 && ok2 {
		return &devices.Position{Lat: y, Lon: x}, nil
	}
	hint := ""
	if (ns == "E" || ns == "W") && (ew == "N" || ew == "S") {
		hint = "; latitude and longitude look swapped"
	}
	return nil, object.Refuse("position_invalid", "%.20q %.4q, %.20q %.4q is no position%s", lat, ns, lon, ew, hint)
}

// degrees reads ddmm.mmmm or, when it is below 180 with at least four decimals
// or none of the minutes' form fits, decimal degrees.
func degrees(s, hemisphere, plus, minus string) (float64, bool) {
	x, ok := object.Decimal(s)
	if !ok || strings.ContainsAny(s, "+-eE") {
		return 0, false
	}
	whole, _, _ := strings.Cut(s, ".")
	if len(whole) >= 4 { // ddmm.mmmm, dddmm.mmmm
		d := float64(int(x) / 100)
		m := x - d*100
		if m >= 60 {
			return 0, false
		}
		x = d + m/60
	}
	if x > 180 {
		return 0, false
	}
	switch hemisphere {
	case plus:
		return x, true
	case minus:
		return -x, true
	}
	return 0, false
}
