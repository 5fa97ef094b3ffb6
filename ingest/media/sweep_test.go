package media

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What nothing refers to goes once it is old; what is used, young or sent again
// stays, and so does what is no photo.
func TestUnusedPhotosAreSweptAway(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	send := func(shade uint8) string {
		img := image.NewGray(image.Rect(0, 0, 8, 8))
		img.SetGray(1, 1, color.Gray{shade})
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		sha, err := s.Put(&b)
		if err != nil {
			t.Fatal(err)
		}
		return sha
	}
	used, old, again, fresh := send(60), send(120), send(180), send(255)
	past := time.Now().Add(-72 * time.Hour)
	for _, sha := range []string{used, old, again} {
		if err := os.Chtimes(s.path(sha), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var found []string
	err = s.Unused(t.Context(), func(sha string) bool { return sha == used }, func(f File) error {
		found = append(found, f.SHA256)
		return nil
	})
	slices.Sort(found)
	want := []string{old, again}
	slices.Sort(want)
	if err != nil || !slices.Equal(found, want) {
		t.Fatalf("unused: %v, %v; want %v", found, err, want)
	}
	send(180) // as somebody sends the same while it is swept
	for sha, want := range map[string]bool{old: true, again: false, fresh: false, "../notes": false} {
		if did, err := s.Remove(sha); did != want || err != nil {
			t.Errorf("removed %.8s: %v, %v", sha, did, err)
		}
	}
	if f, err := s.Get(old); err == nil {
		f.Close()
		t.Error("it is still there")
	}
}
