package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"strings"
	"testing"

	"haidang/devices"
)

// chunk is one of a PNG's.
func chunk(kind, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// pngWith puts chunks behind a PNG's header.
func pngWith(raw []byte, chunks string) []byte {
	const header = 8 + 25
	return append(append(bytes.Clone(raw[:header]), chunks...), raw[header:]...)
}

// segment is one of a JPEG's.
func segment(marker byte, body string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2))) + body
}

// cmykJPEG is 8 × 8 pixels of pure red in four inks, as a print shop's camera or a
// scanner makes them: Adobe's, which counts ink backwards. ITU-T T.81, baseline.
func cmykJPEG() []byte {
	bits := ""
	for _, ink := range []string{"1111111000", "0000000111", "0000000111", "1111111000"} { // no cyan, all magenta, all yellow, no black
		bits += "10" + ink + "0" // the difference of ten bits, then the end of the block
	}
	for len(bits)%8 != 0 {
		bits += "1"
	}
	var data []byte
	for i := 0; i < len(bits); i += 8 {
		var x byte
		for _, b := range bits[i : i+8] {
			x = x<<1 | byte(b-'0')
		}
		if data = append(data, x); x == 0xFF {
			data = append(data, 0)
		}
	}
	huffman := func(class byte, lengths, symbols string) string {
		return segment(0xC4, string([]byte{class})+lengths+strings.Repeat("\x00", 16-len(lengths))+symbols)
	}
	return []byte("\xFF\xD8" + segment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x00") + segment(0xDB, "\x00"+strings.Repeat("\x01", 64)) +
		segment(0xC0, "\x08\x00\x08\x00\x08\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00") +
		huffman(0x00, "\x01\x01", "\x00\x0A") + huffman(0x10, "\x01", "\x00") +
		segment(0xDA, "\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3F\x00") + string(data) + "\xFF\xD9")
}

// Forms of photos that are rare and honest are kept as what they show.
func TestRarePhotosAreKept(t *testing.T) {
	s := open(t)
	deep := image.NewNRGBA64(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		deep.Set(i%16, i/16, color.NRGBA64{R: 0xFFFF, A: 0xFFFF})
	}
	grey := image.NewGray16(image.Rect(0, 0, 16, 16))
	few := image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{red, blue})
	for name, c := range map[string]struct {
		raw  []byte
		want color.Color
	}{
		"four inks": {cmykJPEG(), red}, "sixteen bits": {pngBytes(t, deep), red}, "sixteen bits of grey": {pngBytes(t, grey), color.Black}, "a palette": {pngBytes(t, few), red},
		"a PNG that moves": {pngWith(pngBytes(t, few), chunk("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00")), red}, // its first picture
	} {
		img, _ := kept(t, s, c.raw)
		r, g, b, _ := img.At(4, 4).RGBA()
		wr, wg, wb, _ := c.want.RGBA()
		for _, d := range []int{int(r) - int(wr), int(g) - int(wg), int(b) - int(wb)} {
			if d < -0x0800 || d > 0x0800 {
				t.Errorf("%s: %x %x %x, want %x %x %x", name, r, g, b, wr, wg, wb)
				break
			}
		}
	}
}

// What is a photo and something else besides is kept as the photo alone: nothing
// that was written into it or behind it comes out again.
func TestPhotosThatAreMoreAreOnlyPhotos(t *testing.T) {
	s := open(t)
	jpg, pic := jpegBytes(t, corner(16, 16)), pngBytes(t, corner(16, 16))
	const page, archive = "<html><script>alert(document.cookie)</script>", "PK\x03\x04evil.jar"
	for name, raw := range map[string][]byte{
		"a page behind a JPEG":     append(bytes.Clone(jpg), page...),
		"a page in a comment":      append([]byte("\xFF\xD8"+segment(0xFE, page)), jpg[2:]...),
		"a page in a profile":      append([]byte("\xFF\xD8"+segment(0xE2, "ICC_PROFILE\x00\x01\x01"+page)), jpg[2:]...),
		"an archive behind a JPEG": append(bytes.Clone(jpg), archive...),
		"a page in a PNG's text":   pngWith(pic, chunk("tEXt", "Comment\x00"+page)),
		"a page behind a PNG":      append(bytes.Clone(pic), page...),
		"a place in a PNG":         pngWith(pic, chunk("eXIf", "II*\x00GPS 17.468 "+page)),
	} {
		_, b := kept(t, s, raw)
		if bytes.Contains(b, []byte("script")) || bytes.Contains(b, []byte("PK\x03\x04")) || bytes.Contains(b, []byte("GPS")) {
			t.Errorf("%s came through", name)
		}
	}
}

// What looks like a photo and is none, or would hold up the others, is refused in
// words and leaves nothing behind.
func TestHostilePhotosAreRefused(t *testing.T) {
	s := open(t)
	jpg, pic := jpegBytes(t, corner(64, 64)), pngBytes(t, corner(64, 64))
	// Each scan of some bytes has a decoder walk all blocks again.
	scans := append(bytes.Clone(jpg[:len(jpg)-2]), strings.Repeat(segment(0xDA, "\x01\x01\x00\x00\x3F\x00"), 5000)...)
	moving := "VP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x07\x00\x00\x07\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	webpOf := func(chunks string) []byte {
		return []byte("RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(chunks)+4))) + "WEBP" + chunks)
	}
	for name, raw := range map[string][]byte{
		"SVG":                       []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"a page":                    []byte("<!DOCTYPE html><script>alert(1)</script>"),
		"a page that begins so":     []byte("\xFF\xD8\xFF<script>alert(1)</script>"),
		"a PNG's first bytes":       []byte("\x89PNG\r\n\x1a\n<script>"),
		"a GIF and a script":        []byte("GIF89a/*" + strings.Repeat("x", 100) + "*/=alert(1)"),
		"PDF":                       []byte("%PDF-1.4\n" + string(jpg)),
		"TIFF":                      []byte("II*\x00\x08\x00\x00\x00"),
		"BMP":                       append([]byte("BM"), make([]byte, 60)...),
		"a moving WebP":             webpOf(moving),
		"half a PNG":                pic[:len(pic)/2],
		"a PNG of a wrong sum":      bytes.Replace(pic, []byte("IDAT"), []byte("IDAT\x01"), 1),
		"half a WebP":               []byte(webp[:len(webp)-6]),
		"endless scans":             append(scans, 0xFF, 0xD9),
		"a JPEG without pixels":     []byte("\xFF\xD8" + segment(0xC0, "\x08\x00\x00\x00\x00\x01\x01\x11\x00") + "\xFF\xD9"),
		"a JPEG of 65,535 square":   []byte("\xFF\xD8" + segment(0xC0, "\x08\xFF\xFF\xFF\xFF\x01\x01\x11\x00") + "\xFF\xD9"),
		"a WebP of 16,384 square":   webpOf("VP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xFF\x3F\x00\xFF\x3F\x00"),
		"a PNG of minus one square": func() []byte { b := bytes.Clone(pic); copy(b[16:], "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"); return b }(),
	} {
		_, err := s.Put(bytes.NewReader(raw))
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || !strings.HasPrefix(fe.Reason, "this photo ") || (name == "endless scans") != strings.Contains(fe.Reason, "more parts") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.decoding); n != 0 {
		t.Errorf("%d are still being decoded", n)
	}
	img, _ := kept(t, s, jpg)
	if img.Bounds().Dx() != 64 {
		t.Error("an honest one after these is not kept")
	}
}
