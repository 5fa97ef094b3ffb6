package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/areas"
	"haidang/devices/audit"
	"haidang/devices/commands"
	"haidang/devices/retention"
	"haidang/ingest/deadletters"
	"haidang/ingest/influx"
	"haidang/ingest/journal"
	"haidang/ingest/media"
	"haidang/ingest/reports"
	"haidang/ingest/rollup"
)

// keeping is what retention is about: all stores.
type keeping struct {
	store    *retention.Store
	registry *devices.Registry
	journal  *journal.Journal
	rollups  *rollup.Rollups
	letters  *deadletters.Store
	commands *commands.Service
	reports  *reports.Service
	orders   *dispatch.Service
	media    *media.Store
	cursor   *influx.Cursor // nil: no InfluxDB is named
	log      *slog.Logger
}

// isVessel says whether what a device sends is a vessel track.
func isVessel(r *devices.Registry) func(devices.ID) bool {
	return func(id devices.ID) bool {
		d, ok := r.Get(id)
		return ok && retention.IsVessel(d.Type)
	}
}

// openRetention opens the classes. Where there are readings from before there
// were classes, they go on being kept as long as then.
func openRetention(ctx context.Context, db *sql.DB, cfg Config, log *audit.Log, reg *devices.Registry, places *areas.Store, rs *reports.Service, hadData bool, say *slog.Logger) (*retention.Store, error) {
	s, err := retention.Open(ctx, db, log, retention.Options{
		Known:   func(t devices.TypeID) bool { _, ok := reg.Type(t); return ok },
		AreasOf: reg.AreasOf,
		Within:  places.Within, Report: rs.Code, Configured: cfg.keeps()})
	if err != nil {
		return nil, err
	}
	changed, err := s.Seed(ctx, hadData, earlier)
	if err != nil {
		return nil, err
	}
	for _, c := range changed {
		say.Warn("goes on being kept as long as before there were retention classes; the law may want less: change the class", "component", "retention", "class", c.ID, "keep", cmp.Or(c.Keep.String(), "for ever"))
	}
	for _, id := range s.Overruled() {
		say.Warn("the configuration's time of a retention class does not count: the class was changed by hand", "component", "retention", "class", id)
	}
	return s, nil
}

// earlier is how long things were kept before there were classes, unless
// retention_days said otherwise: what goes for good must not go unasked, the
// first night after an upgrade.
var earlier = map[string]retention.Period{retention.Readings: {Days: 400}, retention.Plates: {}, retention.DeadLetters: {}, retention.ReportPersonal: {}, retention.Photos: {}}

// keeps are the times of classes that the configuration says.
func (c *Config) keeps() map[string]retention.Period {
	ps := map[string]retention.Period{}
	if c.RetentionDays > 0 {
		ps[retention.Readings] = retention.Period{Days: c.RetentionDays}
	}
	if c.RollupDays > 0 {
		ps[retention.Rollups] = retention.Period{Days: c.RollupDays}
	}
	return ps
}

// retentionAt is when the nightly run begins, after midnight.
func (c *Config) retentionAt() (time.Duration, error) {
	t, err := time.Parse("15:04", c.RetentionAt)
	if err != nil {
		return 0, fmt.Errorf("retention_at is %q; it must be a time of day such as 02:00, Vietnam's", c.RetentionAt)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// job is the nightly run over all stores.
func (k *keeping) job(at time.Duration, metrics prometheus.Registerer, log *slog.Logger) *retention.Job {
	return retention.NewJob(retention.JobOptions{Store: k.store, At: at, Metrics: metrics, Log: log, Seal: k.seal,
		Parts: []retention.Part{k.entries(retention.Readings), k.plates(), k.hours(), k.entries(retention.VesselTracks), k.deadLetters(), k.told(), k.personal(), k.photos()}})
}

// seal completes the vessel tracks' chains and notes their heads. Where a chain
// no longer has the block that was noted before, the note stays as it is, and it
// is said each night: a new one would hide what was done.
func (k *keeping) seal(ctx context.Context) (string, error) {
	if err := k.journal.Seal(ctx); err != nil {
		return "", err
	}
	noted, err := k.store.Tracks(ctx)
	if errors.Is(err, retention.ErrTracks) {
		k.log.Error("vessel tracks are not noted anew; haidang verify says more", "component", "retention", "error", err)
		return "", nil
	}
	if err != nil {
		return "", err
	}
	broken := map[devices.ID]bool{}
	for _, n := range noted {
		h := journal.TrackHead{Device: devices.ID(n.Device), Link: journal.Link{No: n.No, Hash: n.Hash}}
		has, err := k.journal.HasBlock(ctx, h)
		if err != nil {
			return "", err
		}
		if !has {
			broken[h.Device] = true
			k.log.Error("a vessel's track is not what was noted of it; haidang verify says more", "component", "retention", "device_id", n.Device, "block", n.No)
		}
	}
	var ts []retention.Track
	for _, h := range k.journal.TrackHeads() {
		if !broken[h.Device] {
			ts = append(ts, retention.Track{Device: string(h.Device), No: h.No, Hash: h.Hash})
		}
	}
	return k.store.NoteTracks(ctx, ts)
}
