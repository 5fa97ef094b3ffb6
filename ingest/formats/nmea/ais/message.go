package ais

import "fmt"

// Message is what one AIS message says. Numbers that the ship does not know
// are left out of Numbers.
type Message struct {
	Type int
	MMSI uint32
	// HasPosition says that Lat and Lon, in degrees, are known.
	HasPosition bool
	Lat, Lon    float64
	// Second of the minute at which it was measured; 60 and more: unknown.
	Second int
	// Numbers by name: speed_kn, course_deg, heading_deg, nav_status, …
	Numbers map[string]float64
	// Texts by name: name, call_sign, destination.
	Texts map[string]string
}

// Static says whether the message tells what the ship is, not where.
func (m *Message) Static() bool { return m.Type == 5 || m.Type == 24 }

type kind uint8

const (
	unsigned kind = iota
	text
)

// field is one row of a message's layout: where its bits are, what they mean.
type field struct {
	name         string
	start, width int
	kind         kind
	scale        float64 // 0 means 1
	// missing is the value that says "not available".
	missing int32
	has     bool // whether there is such a value
}

func num(name string, start, width int, scale float64, missing int32) field {
	return field{name: name, start: start, width: width, scale: scale, missing: missing, has: true}
}

func str(name string, start, width int) field {
	return field{name: name, start: start, width: width, kind: text}
}

// layout is a message's length in bits, where its position is, and the rest.
type layout struct {
	bits           int
	lon, lat       int // first bit; 0: no position
	lonBits        int
	latBits        int
	perDegree      float64
	second         int
	fields         []field
	partA, partB   []field // of message 24
	shortestAccept int     // some equipment leaves out what pads the end
}

const tenThousandths = 600_000 // of a minute, in a degree

var classA = layout{bits: 168, lon: 61, lonBits: 28, lat: 89, latBits: 27, perDegree: tenThousandths, second: 137, fields: []field{
	num("nav_status", 38, 4, 1, 15), num("speed_kn", 50, 10, 0.1, 1023), num("course_deg", 116, 12, 0.1, 3600), num("heading_deg", 128, 9, 1, 511)}}

var layouts = map[int]layout{
	1: classA, 2: classA, 3: classA,
	5: {bits: 424, shortestAccept: 420, fields: []field{num("imo", 40, 30, 1, 0), str("call_sign", 70, 42), str("name", 112, 120), num("ship_type", 232, 8, 1, 0),
		num("to_bow_m", 240, 9, 1, 0), num("to_stern_m", 249, 9, 1, 0), num("to_port_m", 258, 6, 1, 0), num("to_starboard_m", 264, 6, 1, 0),
		num("draught_m", 294, 8, 0.1, 0), str("destination", 302, 120)}},
	18: {bits: 168, lon: 57, lonBits: 28, lat: 85, latBits: 27, perDegree: tenThousandths, second: 133, fields: []field{
		num("speed_kn", 46, 10, 0.1, 1023), num("course_deg", 112, 12, 0.1, 3600), num("heading_deg", 124, 9, 1, 511)}},
	19: {bits: 312, lon: 57, lonBits: 28, lat: 85, latBits: 27, perDegree: tenThousandths, second: 133, fields: []field{
		num("speed_kn", 46, 10, 0.1, 1023), num("course_deg", 112, 12, 0.1, 3600), num("heading_deg", 124, 9, 1, 511),
		str("name", 143, 120), num("ship_type", 263, 8, 1, 0)}},
	24: {bits: 160, partA: []field{str("name", 40, 120)}, partB: []field{num("ship_type", 40, 8, 1, 0), str("call_sign", 90, 42)}},
	27: {bits: 96, lon: 44, lonBits: 18, lat: 62, latBits: 17, perDegree: 600, second: -1, fields: []field{
		num("nav_status", 40, 4, 1, 15), num("speed_kn", 79, 6, 1, 63), num("course_deg", 85, 9, 1, 511)}},
}

// Decode reads a payload whose fragments were joined; fill is the last
// fragment's padding. m is nil, without an error, for a message that is not
// read.
func Decode(payload string, fill int) (m *Message, err error) {
	b, n, ok := unarmour(payload, fill)
	if !ok || n < 38 {
		return nil, fmt.Errorf("%.40q is no AIS payload", payload)
	}
	m = &Message{Type: int(b.uint(0, 6)), MMSI: b.uint(8, 30), Second: 60, Numbers: map[string]float64{}, Texts: map[string]string{}}
	l, known := layouts[m.Type]
	if !known {
		if m.Type < 1 || m.Type > 27 {
			return nil, fmt.Errorf("AIS has no message %d", m.Type)
		}
		return nil, nil
	}
	least := l.bits
	if l.shortestAccept > 0 {
		least = l.shortestAccept
	}
	if n < least {
		return nil, fmt.Errorf("AIS message %d has %d bits; it should have %d", m.Type, n, l.bits)
	}
	if l.lon > 0 {
		m.position(b, l)
	}
	if l.second > 0 {
		m.Second = int(b.uint(l.second, 6))
	}
	fields := l.fields
	if m.Type == 24 {
		if fields = l.partA; b.uint(38, 2) == 1 {
			if fields = l.partB; n < 162 {
				return nil, fmt.Errorf("AIS message 24 B has %d bits; it should have 168", n)
			}
		}
	}
	for _, f := range fields {
		m.read(b, n, f)
	}
	return m, nil
}

func (m *Message) position(b bits, l layout) {
	lon, lat := float64(b.int(l.lon, l.lonBits))/l.perDegree, float64(b.int(l.lat, l.latBits))/l.perDegree
	if lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90 { // 181 and 91 say "not available"
		m.HasPosition, m.Lon, m.Lat = true, lon, lat
	}
}

func (m *Message) read(b bits, n int, f field) {
	width := min(f.width, n-f.start)
	if f.kind == text {
		if s := b.text(f.start, width); s != "" {
			m.Texts[f.name] = s
		}
		return
	}
	raw := int32(b.uint(f.start, f.width))
	if f.has && raw == f.missing {
		return
	}
	x := float64(raw)
	if f.scale == 0.1 {
		x /= 10 // exact tenths, which x × 0.1 is not
	}
	m.Numbers[f.name] = x
}
