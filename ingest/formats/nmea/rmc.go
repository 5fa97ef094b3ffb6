package nmea

import (
	"haidang/devices"
	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// rmc reads a receiver's own position.
func (d *Decoder) rmc(s sentence) ([]ingest.Item, *ingest.Refusal) {
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
	for i, name := range [...]string{7: "speed_kn", 8: "course_deg"} {
		if name == "" || f[i] == "" {
			continue
		}
		x, ok := object.Decimal(f[i])
		if !ok {
			return nil, object.Refuse("number_invalid", "%s is %.20q, which is no number", name, f[i])
		}
		if r := object.Add(&rd.Values, name, x); r != nil {
			return nil, r
		}
	}
	return []ingest.Item{{Device: d.me, Reading: rd}}, nil
}
