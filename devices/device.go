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
// tracker, a gauge.
type Device struct {
	ID   ID
	Type TypeID
	// Name is what people call it, in Vietnamese.
	Name string
	// Area is the code of the administrative or operational unit it serves.
	Area string
	// Position is where it is installed; nil for what moves or is unknown.
	Position *Position
	// Interval is how often it is expected to send; zero means its type's.
	Interval time.Duration
	// SecretHash is the SHA-256, in hex, of its generated credential; empty
	// means that it cannot sign in with a password.
	SecretHash string
	// Discovered is true for a device that was registered because it spoke,
	// not because somebody entered it.
	Discovered bool
	CreatedAt  time.Time
}

// ExpectedInterval is the time within which the device should speak again.
func (d *Device) ExpectedInterval(t *Type) time.Duration {
	if d.Interval > 0 {
		return d.Interval
	}
	return t.Interval
}
