package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"modernc.org/sqlite"

	"haidang/ingest"
)

// readers are the journal's, by name, with how far each has come.
func (a *app) readers() map[string]func() ingest.Pos {
	return map[string]func() ingest.Pos{"latest": a.tracker.Pos, "alerts": a.engine.Pos, "rollups": a.rollups.Pos}
}

// observe registers what no part of the program can tell alone.
func (a *app) observe() {
	gauge := func(name, help string, labels prometheus.Labels, fn func() float64) {
		a.prom.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, fn))
	}
	for name, pos := range a.readers() {
		gauge("haidang_journal_reader_lag_entries", "Entries of the journal that a reader has not seen.", prometheus.Labels{"reader": name},
			func() float64 { return float64(a.journal.Behind(pos())) })
	}
	gauge("haidang_journal_unsettled_entries", "Entries of the journal's log that are not on its shelves yet.", nil,
		func() float64 { s := a.journal.State(); return float64(s.Head - s.Settled) })
	gauge("haidang_journal_settle_failing", "1 when the journal's log could not be put in order at the last try.", nil,
		func() float64 {
			if a.journal.State().Failed != nil {
				return 1
			}
			return 0
		})
	for lane, n := range map[string]func() int{"live": func() int { n, _ := a.pipeline.Waiting(); return n }, "bulk": func() int { _, n := a.pipeline.Waiting(); return n }} {
		gauge("haidang_ingest_waiting_messages", "Messages that wait to be kept.", prometheus.Labels{"lane": lane}, func() float64 { return float64(n()) })
	}
	a.prom.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "haidang_dead_letters_dropped_total", Help: "Dead letters, the oldest, that went for want of room."},
		func() float64 { return float64(a.letters.Dropped()) }))
	gauge("haidang_live_screens", "Connected screens.", nil, func() float64 { return float64(a.hub.Clients()) })
	gauge("haidang_data_free_bytes", "Room on the disk of the data folder.", nil, func() float64 { free, _ := room(a.cfg.Data); return float64(free) })
}

// room is how much a disk has free, and its size, in bytes.
func room(dir string) (free, size uint64) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, 0
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize)
}

// lowRoom is from when on a disk counts as nearly full: there is a day or so
// to act at a province's rate.
const lowRoom = 1 << 30

// ready says in words why no data can be taken now; nil: it can.
func (a *app) ready() error {
	var errs []error
	for _, s := range a.sessions() {
		if !s.Connected() {
			errs = append(errs, fmt.Errorf("not connected to the MQTT broker %s as %s", a.mqttURL, s.ClientID()))
		}
	}
	if a.broker != nil && !a.broker.LetsIn() {
		errs = append(errs, errors.New("devices are not let in: the program is starting or ending"))
	}
	if t := a.pipeline.Trouble(); t != nil {
		errs = append(errs, fmt.Errorf("nothing can be kept since %s: %s; devices are not acknowledged and keep what they send", t.Since.UTC().Format(time.RFC3339), inWords(t.Cause)))
	}
	return errors.Join(errs...)
}

// inWords says a cause to anybody, without paths and addresses: those are in
// the log.
func inWords(err error) string {
	if isDiskFull(err) {
		return "the disk is full"
	}
	return "the log says why"
}

// isDiskFull says that SQLite found no room for what it writes, or for the index
// of its log, which it names an input/output error.
func isDiskFull(err error) bool {
	const full, noIndex = 13, 4874 // SQLITE_FULL, SQLITE_IOERR_SHMSIZE
	fault, ok := errors.AsType[*sqlite.Error](err)
	return ok && (fault.Code()&0xff == full || fault.Code() == noIndex)
}

// warnings are what needs somebody's hand soon, though data is taken.
func (a *app) warnings() (ws []string) {
	if free, size := room(a.cfg.Data); size > 0 && free < lowRoom {
		ws = append(ws, fmt.Sprintf("the disk of the data folder has %d MB left; when it is full nothing is acknowledged", free>>20))
	}
	if err := a.journal.State().Failed; err != nil {
		ws = append(ws, "the journal's log could not be put in order and grows: "+inWords(err))
	}
	if a.mosquitto != nil && a.mosquitto.Failed() != nil {
		ws = append(ws, "mosquitto does not know who may sign in now, or no more: "+inWords(a.mosquitto.Failed()))
	}
	for name, pos := range a.readers() {
		if n := a.journal.Behind(pos()); n > farBehind {
			ws = append(ws, fmt.Sprintf("%s is %d entries behind the journal", name, n))
		}
	}
	for _, f := range a.folders {
		for _, p := range f.Problems() {
			ws = append(ws, fmt.Sprintf("source %s: %s", f.name, p))
		}
	}
	return ws
}

// farBehind is from how many entries on a reader cannot keep up.
const farBehind = 200_000
