package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

// orientation reads from a JPEG's EXIF block how the camera was held: 1 to 8,
// as EXIF numbers it, and 1 (upright) for whatever cannot be read. Phones store
// portraits lying down; without this they would lie down for good.
func orientation(raw []byte) int {
	for p := 2; p+4 <= len(raw) && raw[p] == 0xFF; {
		marker, size := raw[p+1], int(binary.BigEndian.Uint16(raw[p+2:]))
		if marker == 0xDA || size < 2 || p+2+size > len(raw) { // pixels begin, or it is broken
			return 1
		}
		segment := raw[p+4 : p+2+size]
		if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == 0xE1 {
			return tiffOrientation(tiff)
		}
		p += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	fields := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(fields) < 12 {
			return 1
		}
		const tagOrientation, short = 0x0112, 3
		if order.Uint16(fields) == tagOrientation && order.Uint16(fields[2:]) == short {
			if o := int(order.Uint16(fields[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		fields = fields[12:]
	}
	return 1
}

// upright is img turned and mirrored as its orientation asks.
type upright struct {
	image.Image
	o int
}

// Bounds implements image.Image: orientations from 5 on lie on their side.
func (u upright) Bounds() image.Rectangle {
	b := u.Image.Bounds()
	if u.o >= 5 {
		return image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return image.Rect(0, 0, b.Dx(), b.Dy())
}

// At implements image.Image.
func (u upright) At(x, y int) color.Color {
	b := u.Image.Bounds()
	if u.o >= 5 {
		x, y = y, x
	}
	switch u.o {
	case 2, 3, 7, 8:
		x = b.Dx() - 1 - x
	}
	switch u.o {
	case 3, 4, 6, 7:
		y = b.Dy() - 1 - y
	}
	return u.Image.At(b.Min.X+x, b.Min.Y+y)
}
