package ingest

import (
	"context"
	"time"

	"haidang/devices"
)

// History answers what was measured. It has two implementations, held to one
// contract by ingesttest.RunHistoryTests: the journal, and InfluxDB.
type History interface {
	// Readings returns raw readings of one device with from ≤ fix time < to,
	// oldest first. next continues after the last one; empty at the end.
	Readings(ctx context.Context, q ReadingsQuery) (items []Reading, next string, err error)
	// Series returns one metric in windows of q.Window, aligned to the epoch,
	// oldest first; windows without good values are left out. A zero window
	// gives raw points (Count 1). Of several values for one time the newest
	// received counts.
	Series(ctx context.Context, q SeriesQuery) ([]Point, error)
	// Source names the implementation: "journal" or "influxdb".
	Source() string
}

// ReadingsQuery asks for raw readings.
type ReadingsQuery struct {
	Device   devices.ID
	From, To time.Time
	Limit    int // at most 10,000; 0 means 1,000
	Cursor   string
}

// SeriesQuery asks for one metric's course.
type SeriesQuery struct {
	Device   devices.ID
	Type     devices.TypeID // InfluxDB's measurement
	Metric   string
	From, To time.Time
	Window   time.Duration
}

// Point is one window of a series, stamped with the window's start, or one raw
// value stamped with its fix time. Only values of good quality count.
type Point struct {
	Time                 time.Time
	Mean, Min, Max, Last float64
	Count                int64
}
