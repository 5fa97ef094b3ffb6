// Package nmea reads NMEA 0183 sentences: AIS (AIVDM, AIVDO) with its fragments
// joined, each sender's and station's apart, and positions of an own receiver
// (RMC). Parts whose rest does not come are refused. The time of a TAG block, or
// of the fields that the US Coast Guard's stations put behind the checksum, is
// the fix time; without one it is the time of arrival, for AIS itself says only
// the second. Distress beacons (SART, MOB, EPIRB) become events; under test
// they say so, and are no distress.
package nmea

import (
	"math"
	"strconv"
	"strings"
	"time"

	"haidang/ingest"
	"haidang/ingest/formats/object"
)

// sentence is one line, checked and parted.
type sentence struct {
	kind   string // "VDM"
	fields []string
	at     time.Time // of the TAG block or the station; zero when there is none
	// station and group are those of the TAG block; empty when it says none.
	station, group string
}

// maxLine is NMEA's 82 bytes with room for a TAG block.
const maxLine = 400

// checksum is NMEA's: all bytes XORed.
func checksum(s string) byte {
	var x byte
	for i := range len(s) {
		x ^= s[i]
	}
	return x
}

// verify cuts "*hh" off and compares it.
func verify(s string) (string, *ingest.Refusal) {
	body, sum, ok := strings.Cut(s, "*")
	if !ok {
		return "", object.Refuse("checksum_missing", "the sentence has no checksum")
	}
	return body, compare(body, sum)
}

func compare(body, sum string) *ingest.Refusal {
	want, err := strconv.ParseUint(sum, 16, 8)
	if err != nil || len(sum) != 2 {
		return object.Refuse("checksum_wrong", "the checksum %.8q is no pair of hexadecimal digits", sum)
	}
	if got := checksum(body); got != byte(want) {
		return object.Refuse("checksum_wrong", "the checksum is %s, but the sentence gives %02X: it was changed on its way", sum, got)
	}
	return nil
}

func parse(line string) (s sentence, r *ingest.Refusal) {
	if len(line) > maxLine {
		return s, object.Refuse("line_too_long", "a sentence has at most %d bytes", maxLine)
	}
	for i := range len(line) {
		if line[i] < 0x20 || line[i] > 0x7e {
			return s, object.Refuse("encoding_wrong", "a sentence is plain ASCII; byte %d is not", i)
		}
	}
	if strings.HasPrefix(line, `\`) {
		tag, rest, ok := strings.Cut(line[1:], `\`)
		if !ok {
			return s, object.Refuse("tag_block_open", "the TAG block does not end")
		}
		if r = s.readTag(tag); r != nil {
			return s, r
		}
		line = rest
	}
	if len(line) < 7 || line[0] != '!' && line[0] != '$' {
		return s, object.Refuse("sentence_invalid", "%.40q is no NMEA sentence: it begins with ! or $", line)
	}
	body, sum, ok := strings.Cut(line[1:], "*")
	if !ok {
		return s, object.Refuse("checksum_missing", "the sentence has no checksum")
	}
	sum, station, _ := strings.Cut(sum, ",")
	if r = compare(body, sum); r != nil {
		return s, r
	}
	if s.at.IsZero() {
		s.at = stationTime(station)
	}
	s.fields = strings.Split(body, ",")
	address := s.fields[0]
	switch {
	case strings.HasPrefix(address, "P"):
		s.kind = "P" // proprietary: any length
	case len(address) == 5:
		s.kind = address[2:]
	default:
		return s, object.Refuse("sentence_unknown", "%.20q is no sentence that is read; AIVDM and RMC are", address)
	}
	return s, nil
}

// stationTime is the first whole number that a coast station of the US Coast
// Guard, and those who do as it does, puts behind the checksum: seconds since
// 1970. What else is there begins with a letter.
func stationTime(fields string) time.Time {
	for f := range strings.SplitSeq(fields, ",") {
		if x, err := strconv.ParseInt(f, 10, 64); err == nil && x >= 1e9 && x < 1e10 {
			return time.Unix(x, 0).UTC()
		}
	}
	return time.Time{}
}

// readTag takes from a TAG block c:, the time in seconds or milliseconds since
// 1970; s:, the station; and of g:, line-lines-group, the group.
func (s *sentence) readTag(tag string) *ingest.Refusal {
	body, r := verify(tag)
	if r != nil {
		r.Message = "TAG block: " + r.Message
		return r
	}
	for part := range strings.SplitSeq(body, ",") {
		name, text, _ := strings.Cut(part, ":")
		switch name {
		case "c":
			x, err := strconv.ParseInt(text, 10, 64)
			switch {
			case err != nil || x < 0 || x > 1e14:
				return object.Refuse("ts_invalid", "the TAG block's time %.40q is no time since 1970", text)
			case x > 1e11:
				s.at = time.UnixMilli(x).UTC()
			default:
				s.at = time.Unix(x, 0).UTC()
			}
		case "s":
			s.station = text
		case "g":
			s.group = text[strings.LastIndexByte(text, '-')+1:]
		}
	}
	return nil
}

// degrees reads ddmm.mmmm with its hemisphere.
func degrees(value, hemisphere string, whole int) (float64, bool) {
	dot := strings.IndexByte(value, '.')
	if dot < 0 {
		dot = len(value)
	}
	if dot != whole+2 {
		return 0, false
	}
	d, err := strconv.ParseUint(value[:whole], 10, 16)
	m, ok := object.Decimal(value[whole:])
	if err != nil || !ok || !(m >= 0 && m < 60) || strings.ContainsAny(value, "+-eE") {
		return 0, false
	}
	x := math.Round((float64(d)+m/60)*1e7) / 1e7
	switch hemisphere {
	case "N", "E":
		return x, true
	case "S", "W":
		return -x, true
	}
	return 0, false
}

// clock joins hhmmss(.sss) and ddmmyy, UTC.
func clock(hms, dmy string) (time.Time, *ingest.Refusal) {
	at, err := time.Parse("020106150405", dmy+hms) // which takes decimals of a second as well
	if whole, _, _ := strings.Cut(hms, "."); err != nil || len(whole) != 6 || len(dmy) != 6 {
		return time.Time{}, object.Refuse("ts_invalid", "%.20q on %.20q is no time (hhmmss, ddmmyy)", hms, dmy)
	}
	return at.Truncate(time.Millisecond), nil
}
