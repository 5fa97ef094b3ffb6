package main

import (
	"bytes"
	"encoding/binary"
)

// frames reads what a websocket server sends, in whatever pieces it comes, and
// counts. It is as lean as can be: a thousand of them share the cores with the
// server under measurement.
type frames struct {
	head    []byte // of a frame whose header has not come in full
	left    uint64 // of the payload of the frame that is read
	control bool   // it is a ping, a pong or a close

	frames, items int64
}

// take reads on. Frames of a server are not masked.
func (f *frames) take(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(p)))
			if !f.control {
				f.items += int64(bytes.Count(p[:n], []byte{itemMark}))
			}
			f.left -= n
			p = p[n:]
			continue
		}
		need := headLength(f.head)
		n := min(need-len(f.head), len(p))
		f.head = append(f.head, p[:n]...)
		p = p[n:]
		if need = headLength(f.head); len(f.head) < need {
			continue
		}
		f.control = f.head[0]&0x08 != 0
		switch f.left = uint64(f.head[1] & 0x7f); f.left {
		case 126:
			f.left = uint64(binary.BigEndian.Uint16(f.head[2:]))
		case 127:
			f.left = binary.BigEndian.Uint64(f.head[2:])
		}
		if !f.control {
			f.frames++
		}
		f.head = f.head[:0]
	}
}

// headLength is how long a frame's header is, as far as its beginning tells.
func headLength(head []byte) int {
	if len(head) < 2 {
		return 2
	}
	switch head[1] & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// maskedText is a short text as a client sends it. The mask may be zero: it is
// there to protect proxies, and there is none.
func maskedText(text string) []byte {
	b := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		panic("the bench asks in at most 125 bytes")
	}
	return append(b, text...)
}
