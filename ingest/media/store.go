// Package media keeps photos: decoded, bounded in size, turned upright, encoded
// anew (so that where and with what they were taken is gone) and named by their
// SHA-256.
package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // decoder
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // decoder

	"haidang/devices"
	"haidang/ingest"
)

// The bounds on one photo.
const (
	MaxBytes  = 10 << 20
	maxPixels = 40_000_000
	maxSide   = 2048 // of the stored photo
	// maxScans is how often a JPEG may have all its pixels walked through. A
	// progressive one of a camera does so ten times; more is a small file that
	// keeps a decoder busy for hours.
	maxScans = 64
)

// Store is a folder of photos.
type Store struct {
	dir string
	// decoding has room for as many photos as may be in memory as pixels at
	// once: one may take 320 MB, and a flood of them must not take the rest.
	decoding chan struct{}
	mu       sync.Mutex // held while a file is put in place or swept away
}

// Open opens or creates the folder.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create media folder: %w", err)
	}
	return &Store{dir: dir, decoding: make(chan struct{}, 2)}, nil
}

func unreadable(reason string) error { return &devices.FieldError{Field: "photos", Reason: reason} }

// Put takes one photo and returns its SHA-256 in hex. A *devices.FieldError
// says what is wrong with it.
func (s *Store) Put(r io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return "", fmt.Errorf("read photo: %w", err)
	}
	if len(raw) > MaxBytes {
		return "", unreadable("a photo may have at most 10 MB")
	}
	s.decoding <- struct{}{}
	jpg, err := develop(raw)
	<-s.decoding
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(jpg)
	sha := hex.EncodeToString(sum[:])
	return sha, s.write(sha, jpg)
}

// develop makes of a photo as sent the JPEG that is kept.
func develop(raw []byte) ([]byte, error) {
	// The size is read before the pixels: a small file may claim a huge image.
	cfg, format, err := image.DecodeConfig(bytes.NewReader(raw))
	// Other packages may register more decoders; these three are taken.
	if err != nil || (format != "jpeg" && format != "png" && format != "webp") {
		return nil, unreadable("this photo cannot be read; JPEG, PNG and WebP are taken")
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return nil, unreadable("this photo has too many pixels; at most 40 million are taken")
	}
	if format == "jpeg" && bytes.Count(raw, []byte("\xFF\xDA")) > maxScans {
		return nil, unreadable("this photo is in more parts than any camera makes; save it anew, or take another")
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, unreadable("this photo is damaged")
	}
	held := 1
	if format == "jpeg" {
		held = orientation(raw)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn(shrink(img), held), &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("encode photo: %w", err)
	}
	return out.Bytes(), nil
}

// shrink bounds the longer side, and puts what is see-through on white: JPEG
// would make it black.
func shrink(img image.Image) image.Image {
	b := img.Bounds()
	side := max(b.Dx(), b.Dy())
	o, ok := img.(interface{ Opaque() bool })
	opaque := ok && o.Opaque()
	if side <= maxSide && opaque {
		return img
	}
	w, h := b.Dx(), b.Dy()
	if side > maxSide {
		w, h = max(1, w*maxSide/side), max(1, h*maxSide/side)
	}
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(to, to.Bounds(), img, b, draw.Over, nil)
	return to
}

func turn(img image.Image, held int) image.Image {
	if held == 1 {
		return img
	}
	from := upright{img, held}
	to := image.NewRGBA(from.Bounds())
	draw.Draw(to, to.Bounds(), from, image.Point{}, draw.Src)
	return to
}

// write puts the file in place whole, synced, or not at all.
func (s *Store) write(sha string, b []byte) error {
	path := s.path(sha)
	s.mu.Lock() // nobody sweeps it away meanwhile
	defer s.mu.Unlock()
	if _, err := os.Stat(path); err == nil {
		now := time.Now() // it is young again: it is to be referred to
		if err := os.Chtimes(path, now, now); err != nil {
			return fmt.Errorf("keep photo: %w", err)
		}
		return nil
	}
	err := ingest.WriteWhole(path, func(w io.Writer) error { _, err := w.Write(b); return err })
	if err != nil {
		return fmt.Errorf("keep photo: %w", err)
	}
	return nil
}

func (s *Store) path(sha string) string { return filepath.Join(s.dir, sha+".jpg") }

var shaForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Get opens a photo, a JPEG; devices.ErrNotFound when there is none.
func (s *Store) Get(sha string) (*os.File, error) {
	if !shaForm.MatchString(sha) {
		return nil, devices.ErrNotFound
	}
	f, err := os.Open(s.path(sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, devices.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open photo: %w", err)
	}
	return f, nil
}
