// Package influx keeps the time series in InfluxDB and asks it for history.
//
// The writer is a reader of the journal with its own durable place: while
// InfluxDB is away it waits, and catches up after. A batch counts as written
// only on a success answer; a point that InfluxDB refuses is found by halving,
// counted and left out, so it does not cost the others of its batch. Points
// carry the device's own time, so writing one again changes nothing.
package influx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
	"github.com/prometheus/client_golang/prometheus"

	"haidang/devices"
	"haidang/ingest"
)

// Config says where InfluxDB is. For 1.8 the bucket is "database/policy" and
// the token "user:password" or empty.
type Config struct{ URL, Org, Bucket, Token string }

// Follower is a journal.
type Follower interface {
	Follow(ctx context.Context, after ingest.Pos, limit int, fn func(context.Context, []ingest.Entry) error) error
	Behind(after ingest.Pos) int64
	// Shelved gives what the log no longer has, and where it goes on.
	Shelved(ctx context.Context, from ingest.ShelfPlace, fn func(context.Context, ingest.ShelfPlace, []ingest.Entry) error) (ingest.Pos, error)
}

// Registry is what the writer asks of the device registry.
type Registry interface {
	Get(devices.ID) (*devices.Device, bool)
}

// Writer copies readings to InfluxDB.
type Writer struct {
	api     api.WriteAPIBlocking
	client  influxdb2.Client
	reg     Registry
	cursor  *Cursor
	log     *slog.Logger
	written prometheus.Counter
	refused prometheus.Counter
	state   state
}

// NewWriter prepares a writer; it does not touch the network.
func NewWriter(cfg Config, reg Registry, cursor *Cursor, metrics prometheus.Registerer, log *slog.Logger) *Writer {
	c := influxdb2.NewClientWithOptions(cfg.URL, cfg.Token, influxdb2.DefaultOptions().SetPrecision(time.Millisecond).SetHTTPRequestTimeout(30).SetUseGZip(!onThisMachine(cfg.URL)))
	w := &Writer{client: c, api: c.WriteAPIBlocking(cfg.Org, cfg.Bucket), reg: reg, cursor: cursor, log: log,
		written: prometheus.NewCounter(prometheus.CounterOpts{Name: "haidang_influx_points_total", Help: "Points that InfluxDB confirmed."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "haidang_influx_refused_points_total", Help: "Points that InfluxDB refused; they stay in the journal."})}
	if metrics != nil {
		lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "haidang_influx_lag_entries", Help: "Journal entries that wait to be written to InfluxDB."},
			func() float64 { return float64(w.Status().Lag) })
		metrics.MustRegister(w.written, w.refused, lag)
	}
	return w
}

// onThisMachine says that nothing is gained by packing what is sent.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Run follows the journal until ctx ends.
func (w *Writer) Run(ctx context.Context, j Follower) error {
	defer w.client.Close()
	for {
		pos, err := w.cursor.Load(ctx)
		if err != nil {
			return err
		}
		shelf, err := w.cursor.LoadShelf(ctx)
		if err != nil {
			return err
		}
		w.state.begin(pos, j)
		if shelf == (ingest.ShelfPlace{}) {
			if err = j.Follow(ctx, pos, batchSize, w.follow); !errors.Is(err, ingest.ErrCut) {
				return err
			}
			w.log.Info("InfluxDB is filled from the journal's shelves: it is new, or was away for longer than the log reaches back", "component", "ingest.influx")
		}
		if err := w.fill(ctx, j, shelf); err != nil {
			return err
		}
	}
}

const (
	// batchSize is the most points of one write.
	batchSize = 5000
	// rest is how long what comes is gathered after a batch that was not full:
	// each write costs InfluxDB, and our place in the journal, a sync.
	rest = 500 * time.Millisecond
)

func (w *Writer) follow(ctx context.Context, es []ingest.Entry) error {
	if err := w.writeUntilDone(ctx, w.points(es)); err != nil {
		return err
	}
	if err := w.reached(ctx, es[len(es)-1].Pos); err != nil || len(es) == batchSize {
		return err
	}
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
	return nil
}

// reached notes our place. Where that cannot be written, as on a full disk, it
// waits: InfluxDB has the points, and giving up would end the program.
func (w *Writer) reached(ctx context.Context, pos ingest.Pos) error {
	if err := w.note(ctx, func() error { return w.cursor.Save(ctx, pos) }); err != nil {
		return err
	}
	w.state.reached(pos)
	return nil
}

// note calls save until it succeeds or ctx ends.
func (w *Writer) note(ctx context.Context, save func() error) error {
	for {
		err := save()
		if err == nil || ctx.Err() != nil {
			return err
		}
		w.log.Error("note the InfluxDB writer's place; trying again", "component", "ingest.influx", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fill copies the journal's shelves, from a place on.
func (w *Writer) fill(ctx context.Context, j Follower, from ingest.ShelfPlace) error {
	var waiting []*write.Point
	pos, err := j.Shelved(ctx, from, func(ctx context.Context, at ingest.ShelfPlace, es []ingest.Entry) error {
		if waiting = append(waiting, w.points(es)...); len(waiting) < batchSize {
			return nil
		}
		points := waiting
		waiting = nil
		if err := w.writeUntilDone(ctx, points); err != nil {
			return err
		}
		return w.note(ctx, func() error { return w.cursor.SaveShelf(ctx, at) })
	})
	if err != nil {
		return err
	}
	if err := w.writeUntilDone(ctx, waiting); err != nil {
		return err
	}
	if err := w.reached(ctx, pos); err != nil {
		return err
	}
	return w.note(ctx, func() error { return w.cursor.SaveShelf(ctx, ingest.ShelfPlace{}) })
}

func (w *Writer) points(es []ingest.Entry) []*write.Point {
	points := make([]*write.Point, 0, len(es))
	for i := range es {
		if r := es[i].Reading; r != nil {
			if p := w.point(r); p != nil {
				points = append(points, p)
			}
		}
	}
	return points
}

// point is a reading in InfluxDB: measurement = device type, tags device and
// area, metrics as float fields. A value that is not good is kept as its
// quality alone, so that no mean takes it in.
func (w *Writer) point(r *ingest.Reading) *write.Point {
	typ, area := string(devices.TypeGeneric), ""
	if d, ok := w.reg.Get(r.Device); ok {
		typ, area = string(d.Type), d.Area
	}
	p := write.NewPointWithMeasurement(typ).AddTag("device", string(r.Device)).SetTime(r.FixTime)
	if area != "" {
		p.AddTag("area", area)
	}
	for _, v := range r.Values {
		if v.Quality == ingest.Good {
			p.AddField(v.Metric, v.Number)
		} else {
			p.AddField(v.Metric+"_quality", v.Quality.String())
		}
	}
	if r.Position != nil {
		p.AddField("lat", r.Position.Lat).AddField("lon", r.Position.Lon)
	}
	if len(p.FieldList()) == 0 {
		return nil
	}
	return p
}

// writeUntilDone writes points, waiting as long as InfluxDB is away.
func (w *Writer) writeUntilDone(ctx context.Context, points []*write.Point) error {
	for wait := time.Second; len(points) > 0; wait = min(2*wait, 15*time.Second) {
		err := w.api.WritePoint(ctx, points...)
		if err == nil {
			w.written.Add(float64(len(points)))
			w.state.confirmed()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refusedForGood(err) {
			w.state.answered() // it is there, and says no to points
			return w.halve(ctx, points, err)
		}
		w.state.failed(err)
		w.log.Warn("InfluxDB is away; readings wait in the journal", "component", "ingest.influx", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// halve finds the points that InfluxDB refuses and writes the others.
func (w *Writer) halve(ctx context.Context, points []*write.Point, cause error) error {
	if len(points) == 1 {
		w.refused.Inc()
		w.log.Error("InfluxDB refuses a point; it stays in the journal only", "component", "ingest.influx", "measurement", points[0].Name(), "time", points[0].Time(), "error", cause)
		return nil
	}
	mid := len(points) / 2
	if err := w.writeUntilDone(ctx, points[:mid]); err != nil {
		return err
	}
	return w.writeUntilDone(ctx, points[mid:])
}

// refusedForGood says that sending the same again cannot help: the points are
// wrong. Wrong credentials or a missing bucket are an operator's to mend, and
// are waited for.
func refusedForGood(err error) bool {
	he, ok := errors.AsType[*http.Error](err)
	return ok && (he.StatusCode == 400 || he.StatusCode == 422)
}
