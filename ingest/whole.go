package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// WriteWhole puts what write gives in place of the file at path: whole and
// synced, or not at all.
func WriteWhole(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put file in place: %w", err)
	}
	d, err := os.Open(dir) // a new name must outlive a power cut
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// KeepSaved calls save at every tick, and once more when ctx ends. What cannot
// be saved, as on a full disk, is saved the next time; only the last error is
// returned.
func KeepSaved(ctx context.Context, tick <-chan time.Time, log *slog.Logger, save func() error) error {
	for {
		select {
		case <-ctx.Done():
			return save()
		case <-tick:
			if err := save(); err != nil {
				log.Error("save what is known; trying again", "component", "ingest", "error", err)
			}
		}
	}
}
