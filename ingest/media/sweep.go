package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// File is a photo on the disk.
type File struct {
	SHA256 string
	Bytes  int64
	Kept   time.Time // when it was put there, or last sent again
}

// young is how long a photo may be there before anything refers to it.
const young = 48 * time.Hour

// Unused calls fn with the photos that nothing refers to, and that are not just
// being sent; it ends with fn's error.
func (s *Store) Unused(ctx context.Context, used func(sha string) bool, fn func(File) error) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("list photos: %w", err)
	}
	for _, e := range entries {
		sha, isPhoto := strings.CutSuffix(e.Name(), ".jpg")
		if !isPhoto || !shaForm.MatchString(sha) || used(sha) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list photos: %w", err)
		}
		if time.Since(info.ModTime()) < young {
			continue
		}
		if err := fn(File{sha, info.Size(), info.ModTime().UTC()}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes a photo off the disk, unless it was sent again meanwhile; it says
// whether it did.
func (s *Store) Remove(sha string) (bool, error) {
	if !shaForm.MatchString(sha) {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path(sha))
	if errors.Is(err, fs.ErrNotExist) || err == nil && time.Since(info.ModTime()) < young {
		return false, nil
	}
	if err == nil {
		err = os.Remove(s.path(sha))
	}
	if err != nil {
		return false, fmt.Errorf("remove photo: %w", err)
	}
	return true, nil
}
