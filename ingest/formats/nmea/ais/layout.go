package ais

import "math"

type kind uint8

const (
	unsigned kind = iota
	text
)

// field is one row of a message's layout: where its bits are, what they mean.
type field struct {
	name         string
	start, width int // a width of 0 goes to the end
	kind         kind
	tenths       bool
	// What is outside first and last says "not available", or is a number that
	// the recommendation keeps from use: a course of 409.5 degrees is none.
	first, last uint32
}

// upTo is a number whose greatest is last.
func upTo(name string, start, width int, last uint32) field {
	return field{name: name, start: start, width: width, last: last}
}

// given is a number of which 0 says "not available".
func given(name string, start, width int) field {
	return field{name: name, start: start, width: width, first: 1, last: math.MaxUint32}
}

// tenth is f in tenths of its unit.
func tenth(f field) field {
	f.tenths = true
	return f
}

func str(name string, start, width int) field {
	return field{name: name, start: start, width: width, kind: text}
}

// size are the distances of a ship's ends and sides from its antenna.
func size(start int) []field {
	return []field{given("to_bow_m", start, 9), given("to_stern_m", start+9, 9), given("to_port_m", start+18, 6), given("to_starboard_m", start+24, 6)}
}

// layout is a message's length in bits, where its position is, and the rest.
type layout struct {
	bits      int
	shortest  int // some equipment leaves out the end: padding, even the destination
	lon, lat  int // first bit; 0: no position
	lonBits   int
	latBits   int
	perDegree float64
	second    int // first bit; 0: none
	fields    []field
}

func (l layout) least() int {
	if l.shortest > 0 {
		return l.shortest
	}
	return l.bits
}

// at is the layout of a message of that length whose position, in ten
// thousandths of a minute, begins there.
func at(bits, lon, second int, fields ...field) layout {
	return layout{bits: bits, lon: lon, lonBits: 28, lat: lon + 28, latBits: 27, perDegree: 600_000, second: second, fields: fields}
}

var (
	classA = at(168, 61, 137, upTo("nav_status", 38, 4, 14), tenth(upTo("speed_kn", 50, 10, 1022)), tenth(upTo("course_deg", 116, 12, 3599)), upTo("heading_deg", 128, 9, 359))
	// classB are the fields that messages 18 and 19 share.
	classB = []field{tenth(upTo("speed_kn", 46, 10, 1022)), tenth(upTo("course_deg", 112, 12, 3599)), upTo("heading_deg", 124, 9, 359)}

	partA          = []field{str("name", 40, 120)}
	partB          = append([]field{given("ship_type", 40, 8), str("call_sign", 90, 42)}, size(132)...)
	partBAuxiliary = []field{given("ship_type", 40, 8), str("call_sign", 90, 42), given("mother_ship", 132, 30)}
)

var layouts = map[int]layout{
	1: classA, 2: classA, 3: classA,
	5: {bits: 424, shortest: 302, fields: append(size(240), given("imo", 40, 30), str("call_sign", 70, 42), str("name", 112, 120), given("ship_type", 232, 8),
		tenth(given("draught_m", 294, 8)), str("destination", 302, 120))},
	9:  at(168, 61, 128, upTo("altitude_m", 38, 12, 4094), upTo("speed_kn", 50, 10, 1022), tenth(upTo("course_deg", 116, 12, 3599))),
	14: {bits: 46, fields: []field{str("text", 40, 0)}},
	18: at(168, 57, 133, classB...),
	19: at(312, 57, 133, append(append(size(271), str("name", 143, 120), given("ship_type", 263, 8)), classB...)...),
	21: at(272, 164, 253, given("aton_type", 38, 5), str("name", 43, 120), upTo("off_position", 259, 1, 1), upTo("virtual_aton", 269, 1, 1)),
	24: {bits: 160},
	27: {bits: 96, lon: 44, lonBits: 18, lat: 62, latBits: 17, perDegree: 600, fields: []field{
		upTo("nav_status", 40, 4, 14), upTo("speed_kn", 79, 6, 62), upTo("course_deg", 85, 9, 359)}},
}
