package devices

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxNameBytes = 200
	maxNoteBytes = 4000
	maxInterval  = 366 * 24 * time.Hour
	maxLabels    = 20
	maxGateways  = 8 // one behind another
)

// reserved are ids that would hide behind paths of the API.
var reserved = []string{"export", "import", "labels"}

var photoForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check returns d in the form in which it is kept, sharing nothing with the
// caller, or says which field is wrong. also are devices to be registered with
// it, by ID.Key: one of them may be its gateway.
func (r *Registry) Check(d Device, also map[string]*Device) (Device, error) {
	if _, err := ParseID(string(d.ID)); err != nil {
		return d, err
	}
	if slices.Contains(reserved, d.ID.Key()) {
		return d, &FieldError{"id", fmt.Sprintf("%s is a word of the API; choose another id", d.ID)}
	}
	if _, ok := r.Type(d.Type); !ok {
		return d, &FieldError{"type", fmt.Sprintf("%.40q is no device type; GET /api/v1/device-types lists them", d.Type)}
	}
	if err := r.checkArea(&d); err != nil {
		return d, err
	}
	if err := r.checkAgency(&d); err != nil {
		return d, err
	}
	if err := d.checkTexts(); err != nil {
		return d, err
	}
	if err := r.checkGateway(&d, also); err != nil {
		return d, err
	}
	if d.Position != nil {
		p := *d.Position
		// NaN is within nothing, so ask that it lies inside.
		if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
			return d, &FieldError{"position", "latitude goes from -90 to 90, longitude from -180 to 180"}
		}
		d.Position = &p
	}
	d.Interval = d.Interval.Truncate(time.Millisecond)
	if d.Interval < 0 || d.Interval > maxInterval {
		return d, &FieldError{"expected_interval_s", "an interval is between 0 (as its type) and one year"}
	}
	if d.Life == "" {
		d.Life = Active
	}
	if !slices.Contains(Lives(), d.Life) {
		return d, &FieldError{"life", fmt.Sprintf("%.20q is unknown; known are pending, active, suspended, retired", d.Life)}
	}
	if d.CreatedAt.IsZero() {
		d.CreatedAt = time.Now()
	}
	d.CreatedAt = d.CreatedAt.UTC().Truncate(time.Millisecond)
	return d, nil
}

// checkArea lets a device stay in an area that has ended, and puts none there.
func (r *Registry) checkArea(d *Device) error {
	if d.Area == "" {
		return nil
	}
	a, ok := r.Area(d.Area)
	if !ok {
		return &FieldError{"area", fmt.Sprintf("%.40q is no area; GET /api/v1/areas lists them", d.Area)}
	}
	if old, known := r.Get(d.ID); a.Closed != "" && (!known || old.Area != d.Area) {
		return &FieldError{"area", a.Closed}
	}
	return nil
}

// checkAgency lets a retired agency keep what it has, and be given nothing new.
func (r *Registry) checkAgency(d *Device) error {
	if d.Agency == "" {
		return nil
	}
	a, ok := r.Agency(d.Agency)
	if !ok {
		return &FieldError{"agency", fmt.Sprintf("%.40q is no agency; GET /api/v1/agencies lists them", d.Agency)}
	}
	if old, known := r.Get(d.ID); a.Retired && (!known || old.Agency != d.Agency) {
		return &FieldError{"agency", fmt.Sprintf("%s is retired and is given nothing new", d.Agency)}
	}
	return nil
}

// checkTexts brings all texts into the form in which they are kept.
func (d *Device) checkTexts() error {
	for _, f := range []struct {
		name string
		text *string
		most int
	}{
		{"name", &d.Name, maxNameBytes}, {"vendor", &d.Vendor, 100}, {"network", &d.Network, 100}, {"cohort", &d.Cohort, 100},
		{"serial", &d.Serial, 100}, {"model", &d.Model, 100}, {"firmware", &d.Firmware, 100},
	} {
		var err error
		if *f.text, err = line(f.name, *f.text, f.most); err != nil {
			return err
		}
	}
	if d.InstalledAt != "" {
		day, err := time.Parse(time.DateOnly, d.InstalledAt)
		if err != nil || day.Year() < 1900 || day.Year() > 2200 {
			return &FieldError{"installed_at", fmt.Sprintf("%.20q is no day; write YYYY-MM-DD, such as 2026-11-28", d.InstalledAt)}
		}
	}
	if d.Notes = strings.TrimSpace(d.Notes); d.Notes != "" {
		if !utf8.ValidString(d.Notes) || strings.ContainsFunc(d.Notes, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' }) {
			return &FieldError{"notes", "notes are UTF-8 text"}
		}
		var err error
		if d.Notes, err = bounded("notes", d.Notes, maxNoteBytes); err != nil {
			return err
		}
	}
	if d.Photo != "" && !photoForm.MatchString(d.Photo) {
		return &FieldError{"photo", "a photo is named by its SHA-256"}
	}
	return d.checkLabels()
}

func (d *Device) checkLabels() error {
	var labels []string
	for _, l := range d.Labels {
		l, err := line("labels", l, 60)
		if err != nil {
			return err
		}
		if strings.Contains(l, "|") {
			return &FieldError{"labels", "a label has no |: it parts labels in a sheet"}
		}
		if l != "" && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	if len(labels) > maxLabels {
		return &FieldError{"labels", fmt.Sprintf("a device has at most %d labels", maxLabels)}
	}
	d.Labels = labels
	return nil
}

// checkGateway holds the devices through which d speaks to a chain that ends.
func (r *Registry) checkGateway(d *Device, also map[string]*Device) error {
	find := func(id ID) (*Device, bool) {
		if g, ok := also[id.Key()]; ok {
			return g, true
		}
		return r.Get(id)
	}
	via := d.Gateway
	for range maxGateways {
		if via == "" {
			return nil
		}
		if via.Key() == d.ID.Key() {
			return &FieldError{"gateway", fmt.Sprintf("device %s would speak through itself", d.ID)}
		}
		g, ok := find(via)
		if !ok {
			return &FieldError{"gateway", fmt.Sprintf("%.64q is no device; register the gateway first", via)}
		}
		if via == d.Gateway {
			d.Gateway = g.ID // the registry's spelling
		}
		via = g.Gateway
	}
	return &FieldError{"gateway", fmt.Sprintf("at most %d gateways stand one behind another", maxGateways)}
}

func bounded(field, s string, most int) (string, error) {
	if s = norm.NFC.String(s); len(s) > most {
		return "", &FieldError{field, fmt.Sprintf("it has at most %d bytes, not %d", most, len(s))}
	}
	return s, nil
}
