package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"haidang/devices"
)

// webp is one pixel.
const webp = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

var red, blue = color.RGBA{R: 255, A: 255}, color.RGBA{B: 255, A: 255}

// corner is blue with a red quarter at the top left.
func corner(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, blue)
			if x < w/2 && y < h/2 {
				img.Set(x, y, red)
			}
		}
	}
	return img
}

func jpegBytes(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngBytes(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts an EXIF block with an orientation and a made-up place into a JPEG.
func withEXIF(jpg []byte, order binary.AppendByteOrder, o int) []byte {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, f := range []struct{ tag, value uint16 }{{0x010F, 0}, {0x0112, uint16(o)}} {
		tiff = order.AppendUint16(tiff, f.tag)
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, f.value)
		tiff = order.AppendUint16(tiff, 0)
	}
	tiff = append(tiff, "GPS 17.468,106.622 SECRETCAM"...)
	block := append([]byte("Exif\x00\x00"), tiff...)
	out := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(block)+2))
	return append(append(out, block...), jpg[2:]...)
}

func kept(t *testing.T, s *Store, raw []byte) (image.Image, []byte) {
	t.Helper()
	sha, err := s.Put(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Get(sha)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img, b
}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "ảnh", "media"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Where the red quarter ends up for each way a camera can be held.
func TestPhotosStandUpright(t *testing.T) {
	s := open(t)
	for o, red := range map[int]string{1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left",
		5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left", 9: "top left", 0: "top left"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			img, b := kept(t, s, withEXIF(jpegBytes(t, corner(64, 32)), order, o))
			w, h := 64, 32
			if o >= 5 && o <= 8 {
				w, h = h, w
			}
			if img.Bounds().Dx() != w || img.Bounds().Dy() != h {
				t.Errorf("orientation %d: %v, want %dx%d", o, img.Bounds(), w, h)
				continue
			}
			for where, p := range map[string]image.Point{"top left": {w / 4, h / 4}, "top right": {w * 3 / 4, h / 4},
				"bottom left": {w / 4, h * 3 / 4}, "bottom right": {w * 3 / 4, h * 3 / 4}} {
				r, _, _, _ := img.At(p.X, p.Y).RGBA()
				if isRed := r > 0x8000; isRed != (where == red) {
					t.Errorf("orientation %d: %s is red: %v", o, where, isRed)
				}
			}
			if bytes.Contains(b, []byte("Exif")) || bytes.Contains(b, []byte("SECRETCAM")) {
				t.Errorf("orientation %d: where it was taken is kept", o)
			}
		}
	}
}

func TestPhotosAreBoundedAndNamedByContent(t *testing.T) {
	s := open(t)
	img, _ := kept(t, s, pngBytes(t, corner(5000, 10)))
	if img.Bounds().Dx() != maxSide || img.Bounds().Dy() != 4 {
		t.Errorf("kept as %v", img.Bounds())
	}
	img, _ = kept(t, s, pngBytes(t, image.NewNRGBA(image.Rect(0, 0, 16, 16))))
	if r, _, _, _ := img.At(8, 8).RGBA(); r < 0xF000 {
		t.Error("what is see-through became dark")
	}
	if img, _ = kept(t, s, []byte(webp)); img.Bounds().Dx() != 1 {
		t.Errorf("WebP kept as %v", img.Bounds())
	}
	raw := jpegBytes(t, corner(32, 32))
	shas := make([]string, 8)
	var wg sync.WaitGroup
	for i := range shas {
		wg.Go(func() {
			var err error
			if shas[i], err = s.Put(bytes.NewReader(raw)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, sha := range shas {
		if sha != shas[0] || len(sha) != 64 {
			t.Errorf("one photo has the names %v", shas)
			break
		}
	}
	files, err := os.ReadDir(s.dir)
	if err != nil || len(files) != 4 {
		t.Errorf("%d files, want 4 (%v)", len(files), err)
	}
}

// A small PNG that claims to be 60,000 pixels square.
func bomb(t testing.TB) []byte {
	b := pngBytes(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(b[16:], 60_000)
	binary.BigEndian.PutUint32(b[20:], 60_000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestBadPhotosAreRefusedInWords(t *testing.T) {
	s := open(t)
	whole := jpegBytes(t, corner(200, 200))
	var g bytes.Buffer
	if err := gif.Encode(&g, corner(4, 4), nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":      {nil, "cannot be read"},
		"text":         {[]byte("<svg onload=alert(1)>"), "cannot be read"},
		"GIF":          {g.Bytes(), "JPEG, PNG and WebP"},
		"cut in half":  {whole[:len(whole)/2], "damaged"},
		"pixel bomb":   {bomb(t), "40 million"},
		"eleven MB":    {make([]byte, 11<<20), "10 MB"},
		"only a start": {whole[:20], "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Put(bytes.NewReader(c.raw))
			if fe, ok := errors.AsType[*devices.FieldError](err); !ok || !strings.Contains(fe.Reason, c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if files, _ := os.ReadDir(s.dir); len(files) != 0 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestGetOpensOnlyPhotos(t *testing.T) {
	s := open(t)
	if err := os.WriteFile(filepath.Join(s.dir, "..", "secret.jpg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sha := range []string{"", "../secret", strings.Repeat("a", 64), strings.Repeat("A", 64), strings.Repeat("a", 63) + "/"} {
		if _, err := s.Get(sha); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("Get(%q): %v", sha, err)
		}
	}
}

// Whatever is sent, the answer is a JPEG within bounds or words: never a panic.
func FuzzDevelop(f *testing.F) {
	small := jpegBytes(f, corner(8, 8))
	f.Add(small)
	f.Add(withEXIF(small, binary.LittleEndian, 6))
	f.Add(withEXIF(small, binary.BigEndian, 8))
	f.Add(pngBytes(f, corner(8, 8)))
	f.Add(bomb(f))
	f.Add([]byte(webp))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(raw)); err == nil && cfg.Width*cfg.Height > 1<<20 && cfg.Width*cfg.Height <= maxPixels {
			t.Skip("large, and slow to fuzz")
		}
		jpg, err := develop(raw)
		if err != nil {
			if _, ok := errors.AsType[*devices.FieldError](err); !ok {
				t.Errorf("refused without words: %v", err)
			}
			return
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(jpg))
		if err != nil || cfg.Width > maxSide || cfg.Height > maxSide {
			t.Errorf("kept as %dx%d: %v", cfg.Width, cfg.Height, err)
		}
	})
}
