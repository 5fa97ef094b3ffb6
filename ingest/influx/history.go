package influx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"haidang/devices"
	"haidang/ingest"
)

// History answers from InfluxDB what was measured. Its readings have no time
// of arrival, no sequence number, and no number where the quality is not good:
// the journal has them. Readings of one device with the same fix time are one.
type History struct {
	cfg    Config
	client influxdb2.Client
}

// NewHistory makes a History; it does not need InfluxDB to be there.
func NewHistory(cfg Config) *History {
	return &History{cfg, influxdb2.NewClientWithOptions(cfg.URL, cfg.Token, influxdb2.DefaultOptions().SetHTTPRequestTimeout(30))}
}

// Close lets go of idle connections.
func (h *History) Close() { h.client.Close() }

// Source implements ingest.History.
func (h *History) Source() string { return "influxdb" }

// qualitySuffix marks the text field that says why a value is not there.
const qualitySuffix = "_quality"

// maxReadings bounds one answer of Readings.
const maxReadings = 10_000

// Readings implements ingest.History. InfluxDB answers each field by itself;
// the readings are put together here.
func (h *History) Readings(ctx context.Context, q ingest.ReadingsQuery) ([]ingest.Reading, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 1000
	}
	limit = min(limit, maxReadings)
	if q.Cursor != "" {
		ms, err := strconv.ParseInt(q.Cursor, 10, 64)
		if err != nil {
			return nil, "", &devices.FieldError{Field: "cursor", Reason: "this cursor was not given out by this list"}
		}
		q.From = time.UnixMilli(ms)
	}
	within, ok := fluxRange(q.From, q.To)
	if !ok {
		return nil, "", nil
	}
	// The first limit+1 points of every field hold all of the first limit+1
	// readings. The measurement is left open: a device may change its type.
	flux := fmt.Sprintf(`from(bucket: %s) |> %s |> filter(fn: (r) => r.device == %s) |> limit(n: %d) |> drop(columns: ["_start", "_stop"])`,
		fluxString(h.cfg.Bucket), within, fluxString(string(q.Device)), limit+1)
	byTime := map[int64]*ingest.Reading{}
	err := h.each(ctx, flux, func(rec *query.FluxRecord) {
		at := rec.Time().UnixMilli()
		r := byTime[at]
		if r == nil {
			r = &ingest.Reading{Device: q.Device, FixTime: time.UnixMilli(at).UTC(), Seq: ingest.NoSeq}
			byTime[at] = r
		}
		addField(r, rec.Field(), rec.Value())
	})
	if err != nil {
		return nil, "", err
	}
	items := make([]ingest.Reading, 0, len(byTime))
	for _, r := range byTime {
		slices.SortFunc(r.Values, func(a, b ingest.Value) int { return strings.Compare(a.Metric, b.Metric) })
		items = append(items, *r)
	}
	slices.SortFunc(items, func(a, b ingest.Reading) int { return a.FixTime.Compare(b.FixTime) })
	if len(items) > limit {
		next := strconv.FormatInt(items[limit].FixTime.UnixMilli(), 10)
		return items[:limit], next, nil
	}
	return items, "", nil
}

// addField puts one field of a point into its reading. A point written again
// after its device moved to another area is there twice; it is one reading.
func addField(r *ingest.Reading, field string, value any) {
	v := ingest.Value{Metric: field}
	switch x := value.(type) {
	case string:
		metric, ok := strings.CutSuffix(field, qualitySuffix)
		if !ok {
			return
		}
		v.Metric, v.Quality = metric, qualityOf(x)
	case float64:
		if field == "lat" || field == "lon" {
			if r.Position == nil {
				r.Position = &devices.Position{}
			}
			if field == "lat" {
				r.Position.Lat = x
			} else {
				r.Position.Lon = x
			}
			return
		}
		v.Number = x
	default:
		return
	}
	if _, there := r.Value(v.Metric); !there {
		r.Values = append(r.Values, v)
	}
}

func qualityOf(name string) ingest.Quality {
	if q, ok := ingest.QualityOf(name); ok {
		return q
	}
	return ingest.DeviceError
}

// each calls fn for every row of the answer.
func (h *History) each(ctx context.Context, flux string, fn func(*query.FluxRecord)) error {
	rows, err := h.client.QueryAPI(h.cfg.Org).Query(ctx, flux)
	if err != nil {
		return fmt.Errorf("query InfluxDB: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		fn(rows.Record())
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read InfluxDB's answer: %w", err)
	}
	return nil
}
