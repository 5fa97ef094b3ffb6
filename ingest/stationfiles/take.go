package stationfiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"haidang/ingest"
)

// The folders for what was taken, and for what held nothing that could be.
const (
	done = "done"
	bad  = "bad"
)

// file is one that is to be taken.
type file struct {
	path string
	rel  string // its path in the watched folder, also once it lies aside
	look look
}

// maxExcerpt is how much is kept of a file that is too large, in bytes.
const maxExcerpt = 16 << 10

// take hands one file over and moves it aside. Only the end of ctx is an error;
// what is wrong with the file is held against it alone.
func (f *Folder) take(ctx context.Context, file file, now time.Time) error {
	if to, taken := f.takenTo(file); taken { // but it could not be moved then
		f.setAside(file, to, now)
		return nil
	}
	tooLarge := file.look.size > ingest.MaxForeign
	b, err := read(file.path, tooLarge)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoFile):
		return nil
	case err != nil:
		f.fail(file, stuck{doing: ingest.ProblemNotRead, err: err}, now)
		return nil
	case !tooLarge && (int64(len(b)) != file.look.size || f.looksCut(&file, b, now)):
		f.later(file, now)
		return nil
	}
	in := ingest.Input{Topic: file.rel, Payload: b, ReceivedAt: time.Now(), Sender: file.path}
	if tooLarge {
		r := &ingest.Refusal{Stage: ingest.StageDecode, Code: "payload_too_large",
			Message: fmt.Sprintf("the file has %d bytes; at most %d are taken; it is %s in the source's folder", file.look.size, ingest.MaxForeign, f.rel(f.placeFor(file, bad)))}
		if err := f.o.Refuse(ctx, in, file.look.size, r); err != nil {
			return fmt.Errorf("refuse %s: %w", file.rel, err)
		}
		f.setAside(file, bad, now)
		return nil
	}
	o, err := f.o.Take(ctx, in)
	if err != nil {
		return fmt.Errorf("take %s: %w", file.rel, err)
	}
	to := done
	if o.Stored+o.Duplicates == 0 && len(o.DeadLetters) > 0 {
		to = bad
	}
	f.setAside(file, to, now)
	return nil
}

// looksCut says whether a file looks cut off, and has not rested long enough to
// be taken like this.
func (f *Folder) looksCut(file *file, b []byte, now time.Time) bool {
	file.look.cut = !bytes.HasSuffix(b, []byte("\n"))
	return file.look.cut && !f.rests(file.look, now)
}

// later leaves a file until it rests.
func (f *Folder) later(file file, now time.Time) {
	if f.isAside(file) {
		f.keepChanged(file, now)
	} else {
		f.keepYoung(file.path, file.look)
	}
}

// errNoFile is that what was a file is something else now.
var errNoFile = errors.New("it is no file any more")

// read reads a file, or its beginning only.
func read(path string, beginning bool) ([]byte, error) {
	if info, err := os.Lstat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if beginning {
		return io.ReadAll(io.LimitReader(r, maxExcerpt))
	}
	return io.ReadAll(io.LimitReader(r, ingest.MaxForeign+1)) // it may have grown
}

// setAside moves a file that was taken, and notes it to be looked at again.
func (f *Folder) setAside(file file, to string, now time.Time) {
	target := f.placeFor(file, to)
	if target != file.path {
		err := os.MkdirAll(filepath.Dir(target), 0o750)
		if err == nil {
			err = os.Rename(file.path, target)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.fail(file, stuck{doing: ingest.ProblemNotMoved, to: to, err: err}, now)
			return
		}
	}
	f.release(file.path)
	file.path = target
	f.keepAside(file, now)
}

// placeFor is where a file is kept under done or bad: with its own path, and a
// number when there is one already. One that lies there stays.
func (f *Folder) placeFor(file file, to string) string {
	own := filepath.Join(f.o.Dir, to, file.rel)
	target := own
	for n := 1; ; n++ {
		if target == file.path {
			return target
		}
		if _, err := os.Lstat(target); err != nil {
			return target // if not for want of a file, then moving it tells
		}
		target = fmt.Sprintf("%s.%d", own, n)
	}
}

// rel is a path within the watched folder, with slashes.
func (f *Folder) rel(path string) string {
	rel, err := filepath.Rel(f.o.Dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}
