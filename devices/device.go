package devices

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ID names a device in topics, JSON, the journal and the UI. It starts with a
// letter or digit, holds only letters, digits, "_" and "-", has at most 64
// characters, and is unique without regard to case.
type ID string

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// ParseID checks s against the form of an ID. The error says what is wrong and
// can be shown to whoever sent s.
func ParseID(s string) (ID, error) {
	if !idForm.MatchString(s) {
		return "", &FieldError{Field: "id", Reason: fmt.Sprintf("%.80q is not a device id: 1 to 64 letters, digits, '_' or '-', starting with a letter or digit", s)}
	}
	return ID(s), nil
}

// Key is the form of the id under which two ids count as the same device.
func (id ID) Key() string { return strings.ToLower(string(id)) }

// Position is a place on earth in WGS 84 degrees.
type Position struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Device is a thing that sends readings or events: a camera, a station, a
// tracker, a gauge. Its JSON is what the audit log keeps of it.
type Device struct {
	ID   ID     `json:"id"`
	Type TypeID `json:"type"`
	// Name is what people call it, in Vietnamese.
	Name string `json:"name,omitempty"`
	// Area is the code of the administrative or operational unit it serves.
	Area string `json:"area,omitempty"`
	// Position is where it is installed; nil for what moves or is unknown.
	Position *Position `json:"position,omitempty"`
	// Interval is how often it is expected to send; zero means its type's.
	Interval time.Duration `json:"interval_ns,omitempty"`

	// Life is where it stands between being entered and being scrapped.
	Life       Life      `json:"life"`
	LifeReason string    `json:"life_reason,omitempty"`
	LifeSince  time.Time `json:"life_since,omitzero"`

	// Agency is the id of the agency that owns it.
	Agency string `json:"agency,omitempty"`
	// Vendor, Network and Cohort are what it may fail together with: who made
	// it, over what it speaks, with what it was bought or installed.
	Vendor  string `json:"vendor,omitempty"`
	Network string `json:"network,omitempty"`
	Cohort  string `json:"cohort,omitempty"`
	// Gateway is the device through which it speaks.
	Gateway ID `json:"gateway,omitempty"`

	Serial   string `json:"serial,omitempty"`
	Model    string `json:"model,omitempty"`
	Firmware string `json:"firmware,omitempty"`
	// InstalledAt is a day of Vietnam, YYYY-MM-DD.
	InstalledAt string `json:"installed_at,omitempty"`
	// Notes are for whoever goes there: keys, ladders, whom to call.
	Notes string `json:"notes,omitempty"`
	// Photo is the SHA-256 of a photo of the media store.
	Photo string `json:"photo,omitempty"`
	// Labels are words to find it by.
	Labels []string `json:"labels,omitempty"`

	// Discovered is true for a device that was registered because it spoke,
	// not because somebody entered it.
	Discovered bool      `json:"discovered,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at,omitzero"`
	// Version grows with each change; who edits says which one they saw.
	Version int64 `json:"version"`
}

// ExpectedInterval is the time within which the device should speak again; 0
// for one that speaks only when something happens.
func (d *Device) ExpectedInterval(t *Type) time.Duration {
	switch {
	case d.Interval > 0:
		return d.Interval
	case t.Contract == Event:
		return 0
	}
	return t.Interval
}
