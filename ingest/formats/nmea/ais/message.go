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

// Static says whether the message tells only what the ship is, not where.
func (m *Message) Static() bool { return m.Type == 5 || m.Type == 24 }

// Decode reads a payload whose fragments were joined; fill is the last
// fragment's padding. m is nil, without an error, for a message that is not
// read.
func Decode(payload string, fill int) (m *Message, err error) {
	b, n, ok := unarmour(payload, fill)
	if !ok || n < 38 {
		return nil, fmt.Errorf("%.40q is no AIS payload", payload)
	}
	m = &Message{Type: int(b.uint(0, 6)), MMSI: b.uint(8, 30), Second: 60, Numbers: map[string]float64{}, Texts: map[string]string{}}
	if m.Type < 1 || m.Type > 27 {
		return nil, fmt.Errorf("AIS has no message %d", m.Type)
	}
	l, known := layouts[m.Type]
	if !known {
		return nil, nil
	}
	if m.MMSI == 0 || m.MMSI > 999_999_999 {
		return nil, fmt.Errorf("%d is no MMSI, which has nine digits", m.MMSI)
	}
	if n < l.least() {
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
		if fields, err = m.part(int(b.uint(38, 2)), n); err != nil {
			return nil, err
		}
	}
	for _, f := range fields {
		m.read(b, n, f)
	}
	if m.Second > 59 {
		delete(m.Numbers, "off_position") // it counts only with a good fix (M.1371-5, table 70)
	}
	return m, nil
}

// part is the layout of one part of message 24. An auxiliary craft has its
// mother ship where others have their size.
func (m *Message) part(number, n int) ([]field, error) {
	switch {
	case number == 0:
		return partA, nil
	case number > 1:
		return nil, fmt.Errorf("AIS message 24 has no part %d", number)
	case n < 162:
		return nil, fmt.Errorf("AIS message 24 B has %d bits; it should have 168", n)
	case m.MMSI/10_000_000 == 98:
		return partBAuxiliary, nil
	}
	return partB, nil
}

func (m *Message) position(b bits, l layout) {
	lon, lat := float64(b.int(l.lon, l.lonBits))/l.perDegree, float64(b.int(l.lat, l.latBits))/l.perDegree
	if lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90 { // 181 and 91 say "not available"
		m.HasPosition, m.Lon, m.Lat = true, lon, lat
	}
}

func (m *Message) read(b bits, n int, f field) {
	width := f.width
	if width == 0 {
		width = n - f.start
	}
	if f.kind == text {
		if s := b.text(f.start, min(width, n-f.start)); s != "" {
			m.Texts[f.name] = s
		}
		return
	}
	raw := b.uint(f.start, width)
	if raw < f.first || raw > f.last {
		return
	}
	x := float64(raw)
	if f.tenths {
		x /= 10 // exact tenths, which x × 0.1 is not
	}
	m.Numbers[f.name] = x
}
