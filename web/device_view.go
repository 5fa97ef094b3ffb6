package web

import (
	"net/http"
	"strconv"
	"time"

	"haidang/devices"
	"haidang/devices/health"
	"haidang/devices/people"
)

// deviceView is a device as lists show it.
type deviceView struct {
	ID       devices.ID     `json:"id"`
	Type     devices.TypeID `json:"type"`
	Name     string         `json:"name"`
	Area     string         `json:"area"`
	AreaName string         `json:"area_name"`
	// AreaVersion is where it is now (areas.Ref): what moves may have left Area.
	AreaVersion string `json:"area_version,omitempty"`
	// AreaEnded: Area does not count today; see postMoves.
	AreaEnded  bool                 `json:"area_ended,omitempty"`
	Lat        *float64             `json:"lat,omitempty"`
	Lon        *float64             `json:"lon,omitempty"`
	Interval   float64              `json:"expected_interval_s"`
	Life       devices.Life         `json:"life"`
	State      devices.Freshness    `json:"state"`
	Connection string               `json:"connection"`
	LastSeen   *time.Time           `json:"last_seen,omitempty"`
	Discovered bool                 `json:"discovered"`
	Agency     string               `json:"agency,omitempty"`
	Vendor     string               `json:"vendor,omitempty"`
	Network    string               `json:"network,omitempty"`
	Cohort     string               `json:"cohort,omitempty"`
	Gateway    devices.ID           `json:"gateway,omitempty"`
	Values     map[string]valueView `json:"values"`
	Health     *healthView          `json:"health,omitempty"`
	deviceDetail
}

// deviceDetail is what only a device's own page shows of it; lists leave it out.
type deviceDetail struct {
	// Installed is where it was put, which for what moves is not where it is.
	Installed   *devices.Position `json:"installed_position,omitempty"`
	OwnInterval float64           `json:"own_interval_s,omitempty"` // 0: its type's
	LifeReason  string            `json:"life_reason,omitempty"`
	LifeSince   time.Time         `json:"life_since,omitzero"`
	Serial      string            `json:"serial,omitempty"`
	Model       string            `json:"model,omitempty"`
	Firmware    string            `json:"firmware,omitempty"`
	InstalledAt string            `json:"installed_at,omitempty"`
	Notes       string            `json:"notes,omitempty"`
	Photo       string            `json:"photo,omitempty"` // its address
	Labels      []string          `json:"labels,omitempty"`
	CreatedAt   time.Time         `json:"created_at,omitzero"`
	UpdatedAt   time.Time         `json:"updated_at,omitzero"`
	Version     int64             `json:"version,omitempty"`
}

// healthView is what the device's own numbering and clock say.
type healthView struct {
	ClockAhead *float64 `json:"clock_ahead_s,omitempty"` // estimated; negative: behind, or a slow way
	Gaps       int64    `json:"seq_gaps"`
	Missing    int64    `json:"seq_missing"`
	Restarts   int64    `json:"seq_restarts"`
}

type valueView struct {
	Value      float64   `json:"value"`
	TS         time.Time `json:"ts"`
	ReceivedAt time.Time `json:"received_at"`
	AgeSeconds float64   `json:"age_s"`
	Quality    string    `json:"quality"`
	Unit       string    `json:"unit,omitempty"`
}

// view is a device in a list.
func (s *Server) view(d *devices.Device, now time.Time) deviceView {
	st, _ := s.Tracker.Get(d.ID)
	area, _ := s.Registry.Area(d.Area)
	interval := s.Registry.Interval(d)
	held, _ := s.Tracker.Held(d.ID, health.Expect(s.Registry, d))
	v := deviceView{ID: d.ID, Type: d.Type, Name: d.Name, Area: d.Area, AreaName: area.Name, AreaEnded: area.Closed != "", Interval: interval.Seconds(), Life: d.Life,
		State: devices.FreshnessAt(now, st.LastSeen, held), Connection: st.Connection, Discovered: d.Discovered,
		Agency: d.Agency, Vendor: d.Vendor, Network: d.Network, Cohort: d.Cohort, Gateway: d.Gateway, Values: map[string]valueView{}}
	if v.Connection == "" {
		v.Connection = "unknown"
	}
	pos := st.Position
	if pos == nil {
		pos = d.Position
	}
	v.AreaVersion = s.areaVersion(d, pos, now)
	if pos != nil {
		v.Lat, v.Lon = &pos.Lat, &pos.Lon
	}
	if !st.LastSeen.IsZero() {
		v.LastSeen = &st.LastSeen
	}
	if st.LastFix != nil {
		n := numbering(&st.Trust)
		v.Health = &n
	}
	t, _ := s.Registry.Type(d.Type)
	for k, x := range st.Values {
		unit := ""
		if t != nil {
			if m := t.Metric(k); m != nil {
				unit = m.Unit
			}
		}
		v.Values[k] = valueView{x.Number, x.FixTime, x.ReceivedAt, max(0, now.Sub(x.FixTime).Round(time.Millisecond).Seconds()), x.Quality.String(), unit}
	}
	return v
}

// whole is a device with all that is known of it.
func (s *Server) whole(d *devices.Device) deviceView {
	v, shown := s.view(d, time.Now()), d.Masked()
	v.deviceDetail = deviceDetail{Installed: d.Position, OwnInterval: d.Interval.Seconds(), LifeReason: shown.LifeReason, LifeSince: d.LifeSince, Serial: d.Serial, Model: d.Model,
		Firmware: d.Firmware, InstalledAt: d.InstalledAt, Notes: shown.Notes, Labels: d.Labels, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt, Version: d.Version}
	if d.Photo != "" {
		v.Photo = "/media/" + d.Photo + ".jpg"
	}
	return v
}

func (s *Server) getDevice(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceRead)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.showDevice(w, d)
}

// showDevice answers with a device and, as ETag, the version that an edit is
// based on.
func (s *Server) showDevice(w http.ResponseWriter, d *devices.Device) {
	w.Header().Set("ETag", etag(d.Version))
	s.json(w, http.StatusOK, s.whole(d))
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
