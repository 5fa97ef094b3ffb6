package retention

import (
	"context"
	"time"

	"haidang/devices"
)

// Lot is how much of one kind there is: of readings of a type of device, of
// roll-ups, of photos.
type Lot struct {
	// What it is: "reading", "event", "rollup", "dead_letter", "command",
	// "report", "photo".
	What string `json:"what"`
	// Type is the device type, where it is of devices.
	Type  string `json:"type,omitempty"`
	Count int64  `json:"count"`
	// Bytes on disk, where the store knows them.
	Bytes int64 `json:"bytes,omitempty"`
	// Oldest and Newest are by the time that the class counts from.
	Oldest *time.Time `json:"oldest,omitempty"`
	Newest *time.Time `json:"newest,omitempty"`
}

// NewLot is a lot with times in ms since 1970 UTC; both 0: there are none.
func NewLot(what string, t devices.TypeID, count, bytes, oldest, newest int64) Lot {
	l := Lot{What: what, Type: string(t), Count: count, Bytes: bytes}
	if oldest != 0 || newest != 0 {
		o, n := time.UnixMilli(oldest).UTC(), time.UnixMilli(newest).UTC()
		l.Oldest, l.Newest = &o, &n
	}
	return l
}

// Lots are summed by what and type.
type Lots []Lot

// Add takes a lot in.
func (ls *Lots) Add(l Lot) {
	if l.Count == 0 {
		return
	}
	for i := range *ls {
		o := &(*ls)[i]
		if o.What != l.What || o.Type != l.Type {
			continue
		}
		o.Count, o.Bytes = o.Count+l.Count, o.Bytes+l.Bytes
		if l.Oldest != nil && (o.Oldest == nil || l.Oldest.Before(*o.Oldest)) {
			o.Oldest = l.Oldest
		}
		if l.Newest != nil && (o.Newest == nil || l.Newest.After(*o.Newest)) {
			o.Newest = l.Newest
		}
		return
	}
	*ls = append(*ls, l)
}

// Total is how many things they are.
func (ls Lots) Total() (count, bytes int64) {
	for _, l := range ls {
		count, bytes = count+l.Count, bytes+l.Bytes
	}
	return count, bytes
}

// Cut says what of a class is to go.
type Cut struct {
	Class Class
	// Now is when the run began: times count from it.
	Now time.Time
}

// Before is the time before which things of a device type go; the zero time:
// none do.
func (c Cut) Before(t devices.TypeID) time.Time { return c.Class.For(t).Before(c.Now) }

// Why a part waits.
const (
	RollupsBehind = "rollups_behind"  // the figures by hour have not read all that the journal holds
	InfluxBehind  = "influxdb_behind" // InfluxDB has not been given all that the journal holds
)

// Part is a store's share of a class.
type Part struct {
	Class string
	// Waits says why nothing may be removed now, RollupsBehind for one, empty
	// when it may: somebody who reads the store has not taken what would go. It
	// may be nil.
	Waits func(context.Context) (string, error)
	// Plan says what Remove would remove.
	Plan func(context.Context, Cut) (Lots, error)
	// Remove removes, by steps that hold up nobody, and tells each after it was
	// made. An error of step, or of ctx, ends it.
	Remove func(ctx context.Context, c Cut, step func(Lot) error) error
}
