package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"haidang/ingest/journal"
)

const ourJournal = "haidang's journal"

func (b *bench) disks() []measure {
	rows := newPast(b.fleet, time.Now()).rows()
	return []measure{{"disk", fmt.Sprintf("On disk: %d devices, %d days, a reading a minute with 0–400 ms of jitter, %d values each (%s rows, %s values); a metric of one device by HTTP",
		b.fleet, pastDays, len(pastMetrics), figure(float64(rows)), figure(float64(rows*len(pastMetrics)))),
		[]string{"bytes a value", "with roll-ups", "24 h by 5 min p50 ms", "24 h by 5 min p95 ms", "30 d by 1 h p50 ms", "30 d by 1 h p95 ms"}, influxAlone, []contender{
			{influxAlone, []string{influxd}, b.diskInflux}, {ourJournal, []string{haidang}, b.diskJournal}}}}
}

// diskJournal fills a journal, brings it into the order that it would be in by
// itself a day later, counts its files, and asks the program that serves it.
func (b *bench) diskJournal(ctx context.Context, dir string) (map[string]float64, error) {
	past := newPast(b.fleet, time.Now())
	p := newPorts(dir)
	p.Inside = true
	folder := filepath.Join(p.folder(), "journal")
	if err := fillJournal(ctx, folder, past); err != nil {
		return nil, err
	}
	size, err := sizeOf(folder)
	if err != nil {
		return nil, err
	}
	s := &system{}
	defer s.stop()
	if err := s.serve(ctx, b, p); err != nil {
		return nil, err
	}
	for i := range b.fleet {
		if err := register(s.http, past.id(i)); err != nil {
			return nil, err
		}
	}
	if err := rolledUp(ctx, s.http); err != nil {
		return nil, err
	}
	figures, err := past.figures(ctx, asker{
		page: func(device string, from, to time.Time, window time.Duration) string {
			return fmt.Sprintf("%s/api/v1/devices/%s/series?metric=%s&from=%s&to=%s&window=%s&agg=mean", s.http, device, askedMetric, from.Format(time.RFC3339), to.Format(time.RFC3339), window)
		},
		means: seriesMeans,
	})
	if err != nil {
		return nil, err
	}
	s.stop() // or SQLite's own log would count
	rollups, err := sizeOf(filepath.Join(p.folder(), "rollups.db"))
	if err != nil {
		return nil, err
	}
	figures["bytes a value"], figures["with roll-ups"] = past.perValue(size), past.perValue(size+rollups)
	return figures, nil
}

// rolledUp waits until the program has made its figures by hour of all that it
// found: they rest for a while before.
func rolledUp(ctx context.Context, base string) error {
	begin, marked := time.Now(), false
	for ctx.Err() == nil {
		n, err := counter(base+"/metrics", `(?m)^haidang_rollup_marked_hours (\S+)`)
		if err != nil {
			return fmt.Errorf("wait for roll-ups: %w", err)
		}
		if n == 0 && (marked || time.Since(begin) > 10*time.Second) {
			return nil
		}
		marked = marked || n > 0
		time.Sleep(200 * time.Millisecond)
	}
	return ctx.Err()
}

// settleEvery is after how many readings the journal is put in order: by the
// time the log is cut, not much stands in it, as in life.
const settleEvery = 10_000

func fillJournal(ctx context.Context, folder string, past *past) error {
	j, err := journal.Open(ctx, folder)
	if err != nil {
		return err
	}
	defer j.Close()
	for n, entries := range past.batches(settleEvery) {
		if _, err := j.Append(ctx, entries); err != nil {
			return fmt.Errorf("append from %d on: %w", n, err)
		}
		if err := j.Settle(ctx); err != nil {
			return err
		}
		if err := j.Cut(ctx); err != nil {
			return err
		}
	}
	if err := j.Join(ctx, past.until.Add(24*time.Hour)); err != nil {
		return err
	}
	return j.Cut(ctx)
}

// diskInflux fills InfluxDB, waits until it has compacted all, and asks it.
func (b *bench) diskInflux(ctx context.Context, dir string) (map[string]float64, error) {
	past := newPast(b.fleet, time.Now())
	s, p := &system{}, newPorts(dir)
	p.Cold = true
	defer s.stop()
	if err := s.addInflux(ctx, b, p); err != nil {
		return nil, err
	}
	db := p.influx()
	if err := db.create(database); err != nil {
		return nil, err
	}
	if err := db.fill(ctx, past.lines()); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, "influx")
	size, err := compacted(ctx, folder)
	if err != nil {
		return nil, err
	}
	figures, err := past.figures(ctx, asker{
		page: func(device string, from, to time.Time, window time.Duration) string {
			return db.question("SELECT mean(%s) FROM generic WHERE device = '%s' AND time >= %dms AND time < %dms GROUP BY time(%ds)",
				askedMetric, device, from.UnixMilli(), to.UnixMilli(), int(window.Seconds()))
		},
		means: db.numbers,
	})
	if err != nil {
		return nil, err
	}
	figures["bytes a value"], figures["with roll-ups"] = past.perValue(size), past.perValue(size) // it has none
	return figures, nil
}

// restsFor is how long nothing in a folder changes when a database has put it
// in order; coldAfter is when it begins to, at the latest.
const (
	restsFor  = 12 * time.Second
	coldAfter = 20 * time.Second
)

// compacted waits until InfluxDB rests, and returns its folder's size.
func compacted(ctx context.Context, folder string) (size int64, err error) {
	begin := time.Now()
	since := begin
	for time.Since(since) < restsFor || time.Since(begin) < coldAfter {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		now, err := sizeOf(folder)
		if err != nil {
			continue // a file went while it was looked at
		}
		if now != size {
			size, since = now, time.Now()
		}
	}
	return size, nil
}

// sizeOf is what a folder's files take on disk, in whole blocks.
func sizeOf(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".tmp") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size += info.Sys().(*syscall.Stat_t).Blocks * 512
		return nil
	})
	return size, err
}
