// Package ais reads the payloads of AIS messages (ITU-R M.1371-5): positions of
// class A (1, 2, 3), class B (18, 19), long range (27), rescue aircraft (9) and
// aids to navigation (21), static data (5, 19, 24), safety text (14). The
// layout of each message is a table; other messages are known by their number
// and not read.
package ais

import "strings"

// bits is a payload as six-bit characters without their armour.
type bits []byte

// unarmour turns payload characters into six bits each; fill is how many of
// the last are padding. ok is false for a character that cannot be.
func unarmour(payload string, fill int) (b bits, n int, ok bool) {
	b = make(bits, len(payload))
	for i := range len(payload) {
		c := payload[i]
		switch {
		case c >= '0' && c <= 'W':
			b[i] = c - '0'
		case c >= '`' && c <= 'w':
			b[i] = c - '0' - 8
		default:
			return nil, 0, false
		}
	}
	n = len(payload)*6 - fill
	return b, n, n > 0 && fill >= 0 && fill < 6
}

// uint reads width bits from start, the highest first.
func (b bits) uint(start, width int) uint32 {
	var x uint32
	for i := start; i < start+width; i++ {
		x = x<<1 | uint32(b[i/6]>>(5-i%6)&1)
	}
	return x
}

// int reads a two's complement number.
func (b bits) int(start, width int) int32 {
	return int32(b.uint(start, width)<<(32-width)) >> (32 - width)
}

// text reads six-bit characters; "@" ends it, blanks at both ends go.
func (b bits) text(start, width int) string {
	var s strings.Builder
	for i := start; i+6 <= start+width; i += 6 {
		c := byte(b.uint(i, 6))
		if c == 0 {
			break
		}
		if c < 32 {
			c += 64
		}
		s.WriteByte(c)
	}
	return strings.Trim(s.String(), " ")
}
