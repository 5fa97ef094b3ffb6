package web

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/people"
)

// deviceForm is what somebody writes of a device; what is not given stays.
type deviceForm struct {
	Type        *devices.TypeID `json:"type"`
	Name        *string         `json:"name"`
	Area        *string         `json:"area"`
	Lat         json.RawMessage `json:"lat"` // null: no place
	Lon         json.RawMessage `json:"lon"`
	Interval    *float64        `json:"expected_interval_s"`
	Agency      *string         `json:"agency"`
	Vendor      *string         `json:"vendor"`
	Network     *string         `json:"network"`
	Cohort      *string         `json:"cohort"`
	Gateway     *devices.ID     `json:"gateway"`
	Serial      *string         `json:"serial"`
	Model       *string         `json:"model"`
	Firmware    *string         `json:"firmware"`
	InstalledAt *string         `json:"installed_at"`
	Notes       *string         `json:"notes"`
	Labels      *[]string       `json:"labels"`
}

// put writes what was given into d.
func (f *deviceForm) put(d *devices.Device) error {
	for to, from := range map[*string]*string{&d.Name: f.Name, &d.Area: f.Area, &d.Agency: f.Agency, &d.Vendor: f.Vendor, &d.Network: f.Network, &d.Cohort: f.Cohort,
		&d.Serial: f.Serial, &d.Model: f.Model, &d.Firmware: f.Firmware, &d.InstalledAt: f.InstalledAt, &d.Notes: f.Notes} {
		if from != nil {
			*to = *from
		}
	}
	if f.Type != nil {
		d.Type = *f.Type
	}
	if f.Gateway != nil {
		d.Gateway = *f.Gateway
	}
	if f.Labels != nil {
		d.Labels = *f.Labels
	}
	if f.Interval != nil {
		if !(*f.Interval >= 0 && *f.Interval <= 366*24*3600) {
			return &devices.FieldError{Field: "expected_interval_s", Reason: "from 0 (as its type) to one year"}
		}
		d.Interval = time.Duration(*f.Interval * float64(time.Second))
	}
	return f.putPlace(d)
}

// putPlace writes where d is installed.
func (f *deviceForm) putPlace(d *devices.Device) error {
	none := func(m json.RawMessage) bool { return string(m) == "null" }
	switch {
	case len(f.Lat) == 0 && len(f.Lon) == 0:
		return nil
	case len(f.Lat) == 0 || len(f.Lon) == 0 || none(f.Lat) != none(f.Lon):
		return &devices.FieldError{Field: "lat", Reason: "lat and lon come together, or not at all"}
	case none(f.Lat):
		d.Position = nil
		return nil
	}
	var p devices.Position
	for name, x := range map[string]struct {
		m  json.RawMessage
		to *float64
	}{"lat": {f.Lat, &p.Lat}, "lon": {f.Lon, &p.Lon}} {
		if json.Unmarshal(x.m, x.to) != nil || math.IsNaN(*x.to) {
			return &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.40s is no number of degrees", x.m)}
		}
	}
	d.Position = &p
	return nil
}

func (s *Server) postDevice(w http.ResponseWriter, r *http.Request) {
	var b struct {
		ID   devices.ID   `json:"id"`
		Life devices.Life `json:"life"`
		deviceForm
	}
	if err := s.body(w, r, 64<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	d := devices.Device{ID: b.ID, Life: b.Life}
	if err := b.put(&d); err != nil {
		s.fail(w, r, err)
		return
	}
	if d.Life != "" && d.Life != devices.Pending && d.Life != devices.Active {
		s.fail(w, r, &devices.FieldError{Field: "life", Reason: "a new device is pending or active"})
		return
	}
	if err := s.may(r, people.DeviceManage, deviceScope(&d)); err != nil {
		s.fail(w, r, err)
		return
	}
	created, err := s.Registry.Create(r.Context(), d)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	secret, err := s.Credentials.IssueSecret(r.Context(), created.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusCreated, map[string]any{"device": s.whole(created), "secret": secret})
}

// patchDevice changes what is given of a device that nobody changed since it was
// read.
func (s *Server) patchDevice(w http.ResponseWriter, r *http.Request) {
	d, err := s.device(r, people.DeviceManage)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	version, err := ifMatch(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var f deviceForm
	if err := s.body(w, r, 64<<10, &f); err != nil {
		s.fail(w, r, err)
		return
	}
	d, err = s.Registry.Edit(r.Context(), d.ID, version, s.within(r, f.put))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.showDevice(w, d)
}

// within makes sure that what an edit makes of a device still lies where who
// edits may do so.
func (s *Server) within(r *http.Request, edit func(*devices.Device) error) func(*devices.Device) error {
	return func(d *devices.Device) error {
		if err := edit(d); err != nil {
			return err
		}
		return s.may(r, people.DeviceManage, deviceScope(d))
	}
}

// ifMatch reads the version that an edit is based on; 0 for any (*).
func ifMatch(r *http.Request) (int64, error) {
	tag := strings.TrimSpace(r.Header.Get("If-Match"))
	switch tag {
	case "":
		return 0, errNoVersion
	case "*":
		return 0, nil
	}
	version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || version < 1 {
		return 0, fmt.Errorf("%w: If-Match is %.40s, which is no ETag of ours", errBadRequest, tag)
	}
	return version, nil
}
