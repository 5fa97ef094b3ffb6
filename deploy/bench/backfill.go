package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The backfills of the issue: the fleet's positions of a month, one every two
// hours, and the files that stations kept while their link was down.
const (
	fleetVessels   = 800
	fleetPositions = 30 * 12 // of each
	stationDays    = 60
	stationFiles   = stationDays * 24 * 12 // of each, one every five minutes
	stationRows    = 10                    // of each file
	liveRate       = 1000
)

// beside is a system by whose live readings a backfill is put. It watches the
// folder drop, where it can.
type beside struct {
	name  string
	needs []string
	start func(ctx context.Context, b *bench, dir, drop string) (*system, error)
	// keeps is false of what only passes readings on: what a backfill does to
	// the delay there is the broker's and the machine's doing.
	keeps bool
}

// serving makes a start of haidang serve behind what begin starts.
func serving(begin func(context.Context, *bench, string) (*system, ports, error)) func(context.Context, *bench, string, string) (*system, error) {
	return func(ctx context.Context, b *bench, dir, drop string) (*system, error) {
		s, p, err := begin(ctx, b, dir)
		if err != nil {
			return s, err
		}
		p.Drop = drop
		return s, s.serve(ctx, b, p)
	}
}

// besides are haidang with either broker and, as the floor, a program that does
// not hear the vendor at all, and takes the vessels like any others.
var besides = []beside{
	{served.name, served.needs, serving(withMosquitto), true},
	{"haidang serve (embedded broker)", []string{haidang}, serving(withinItself), true},
	{floor.name, floor.needs, func(ctx context.Context, b *bench, dir, _ string) (*system, error) { return startFloor(ctx, b, dir) }, false},
}

// backfills show what a backfill does to the delay of live readings.
func (b *bench) backfills() (ms []measure) {
	for _, k := range besides {
		without := "no backfill"
		m := measure{"backfill", fmt.Sprintf("Device to wall during a backfill, %s: %d live readings a second, QoS 1, %d walls", k.name, liveRate, walls),
			[]string{"p99 ms", "p50 ms", "max ms", "shown %", "backfill/s", "kept during it %"}, without, nil}
		for _, c := range []struct {
			name    string
			prepare func(*backfill) error
			fill    func(*backfill, context.Context) (int, error)
		}{
			{without, nil, nil},
			{fmt.Sprintf("%d positions from vessels, as fast as acknowledged", fleetVessels*fleetPositions), nil, (*backfill).positions},
			{fmt.Sprintf("%d positions from a vendor, as fast as acknowledged", fleetVessels*fleetPositions), nil, (*backfill).feed},
			{fmt.Sprintf("%d station files at once, %d rows", b.stations*stationFiles, b.stations*stationFiles*stationRows), (*backfill).write, (*backfill).files},
		} {
			if !k.keeps && c.prepare != nil {
				continue // it reads no files
			}
			m.contenders = append(m.contenders, contender{c.name, k.needs, func(ctx context.Context, dir string) (map[string]float64, error) {
				return b.backfill(ctx, dir, k, c.prepare, c.fill)
			}})
		}
		ms = append(ms, m)
	}
	return ms
}

// backfill is what comes beside the live readings.
type backfill struct {
	*bench
	s     *system
	ready string // a folder of station files, and where it is to go
	drop  string
}

// backfill measures the delay of live readings like delay does. Its backfill
// begins with them; "kept during it" tells how much of it was stored before
// they ended: below 100 they were beside it throughout.
func (b *bench) backfill(ctx context.Context, dir string, k beside, prepare func(*backfill) error, fill func(*backfill, context.Context) (int, error)) (map[string]float64, error) {
	f := &backfill{bench: b, ready: filepath.Join(dir, "ready"), drop: filepath.Join(dir, "drop")}
	if err := os.MkdirAll(f.drop, 0o750); err != nil {
		return nil, err
	}
	if prepare != nil {
		if err := prepare(f); err != nil {
			return nil, err
		}
	}
	s, err := k.start(ctx, b, dir, f.drop)
	f.s = s
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	l := paced(s, liveRate)
	if err := l.warm(ctx, s); err != nil {
		return nil, err
	}
	if k.keeps {
		if err := f.known(ctx); err != nil {
			return nil, err
		}
	}
	before, err := s.stored()
	if err != nil {
		return nil, err
	}
	screens, err := watchWalls(ctx, s, l)
	if err != nil {
		return nil, err
	}
	live := int(liveRate * b.delayFor.Seconds())
	begin, filled := time.Now(), make(chan error, 1)
	wanted := 0
	go func() (err error) {
		defer func() { filled <- err }()
		if fill != nil {
			wanted, err = fill(f, ctx)
		}
		return err
	}()
	err = l.publish(ctx, live)
	during, storedErr := s.stored()
	delays := screens.end()
	if err = errors.Join(err, storedErr, <-filled); err != nil {
		return nil, err
	}
	if !k.keeps {
		return delayFigures(delays, live)
	}
	if err := s.until(ctx, before+int64(live+wanted), 20*time.Minute); err != nil {
		return nil, err
	}
	figures, err := delayFigures(delays, live)
	if err == nil && wanted > 0 {
		figures["backfill/s"] = float64(wanted) / time.Since(begin).Seconds()
		figures["kept during it %"] = 100 * float64(during-before-int64(live)) / float64(wanted)
	}
	return figures, err
}

// positions publishes the fleet's month as each vessel would that kept it while
// it was out of reach.
func (f *backfill) positions(ctx context.Context) (int, error) {
	l := f.fleet()
	return fleetVessels * fleetPositions, l.publish(ctx, fleetVessels*fleetPositions)
}

func (f *backfill) fleet() load {
	l := load{address: f.s.mqtt, publishers: 20, devices: fleetVessels, window: 20, prefix: "vessel"}
	l.message = func(vessel, k int) (string, []byte) {
		_, lat, lon := swing(vessel, k)
		return l.topic(vessel), fmt.Appendf(nil, `{"ts":%d,"seq":%d,"lat":%.5f,"lon":%.5f,"values":{"speed_kn":%.1f,"course_deg":%d}}`,
			positionTime(l, k).UnixMilli(), k+1, lat, lon, float64(k%90)/10, k%360)
	}
	return l
}

// known registers who sends the backfill: each would cost a sync of its own.
func (f *backfill) known(ctx context.Context) error {
	for i := range f.stations {
		if err := register(f.s.http, stationID(i)); err != nil {
			return err
		}
	}
	vessels := f.fleet()
	for i := range fleetVessels {
		for _, id := range []string{vessels.id(i), vendorID(i)} {
			if err := register(f.s.http, id); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func stationID(i int) string { return fmt.Sprintf("QB_BENCH_KHI%03d", i) }
func vendorID(i int) string  { return fmt.Sprintf("QB%05d", i) }

// positionTime is when a vessel was at its k-th message's place.
func positionTime(l load, k int) time.Time {
	return monthAgo.Add(time.Duration(k/(l.devices/l.publishers)) * 2 * time.Hour)
}

var monthAgo = time.Now().Truncate(time.Hour).Add(-fleetPositions * 2 * time.Hour)

// feed publishes the same in the form of a vendor, on its own topic.
func (f *backfill) feed(ctx context.Context) (int, error) {
	l := f.fleet()
	l.message = func(vessel, k int) (string, []byte) {
		at := positionTime(l, k).In(vietnam)
		return vendorTopic, fmt.Appendf(nil, "$MREF,%d,%s,%s,A,17%02d.%04d,N,108%02d.%04d,E,%.1f,%03d,%s",
			k+1, vendorID(vessel), at.Format("150405"), k%60, vessel, (k+vessel)%60, k%10_000, float64(k%90)/10, k%360, at.Format("020106"))
	}
	return fleetVessels * fleetPositions, l.publish(ctx, fleetVessels*fleetPositions)
}

// vendorTopic is in conf/haidang.toml.
const vendorTopic = "vendor/vms"

var vietnam = time.FixedZone("UTC+7", 7*3600)

// files drops the stations' files in, all at once.
func (f *backfill) files(context.Context) (int, error) {
	return f.stations * stationFiles, os.Rename(filepath.Join(f.ready, "station"), filepath.Join(f.drop, "station"))
}

// write makes the stations' files, a folder a day as the circular has it.
func (f *backfill) write() error {
	from := time.Now().In(vietnam).Truncate(24*time.Hour).AddDate(0, 0, -stationDays-1)
	symbols := [stationRows]string{"PM2,5", "PM10", "TSP", "SO2", "NO2", "NOx", "CO", "O3", "NH3", "H2S"}
	var file bytes.Buffer
	for k := range stationFiles {
		at := from.Add(time.Duration(k) * 5 * time.Minute)
		dir := filepath.Join(f.ready, "station", at.Format("2006/01/02"))
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		stamp := at.Format("20060102150405")
		for station := range f.stations {
			file.Reset()
			for i, symbol := range symbols {
				fmt.Fprintf(&file, "%s\t%.1f\tug/Nm3\t%s\t00\n", symbol, float64((k*7+station*13+i*31)%900)/10, stamp)
			}
			if err := os.WriteFile(filepath.Join(dir, stationID(station)+"_"+stamp+".txt"), file.Bytes(), 0o640); err != nil {
				return err
			}
		}
	}
	// A disk that still writes what was made for the round would be measured.
	syscall.Sync()
	return nil
}
