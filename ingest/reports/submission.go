package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"haidang/devices"
	"haidang/devices/personal"
)

// MaxPhotos is how many photos one report may carry.
const MaxPhotos = 5

// Submission is what a citizen sends.
type Submission struct {
	Category    string   `json:"category"`
	Description string   `json:"description"`
	Lat         *float64 `json:"lat"`
	Lon         *float64 `json:"lon"`
	Address     string   `json:"address"`
	Phone       string   `json:"phone"`
	Name        string   `json:"name"`
	// ClientID makes sending again harmless: the same id is the same report.
	ClientID string `json:"client_id"`
	// Photos are JPEG, PNG or WebP files; base64 in JSON.
	Photos [][]byte `json:"photos"`
	// Channel is how it came: "web", "api", "mqtt".
	Channel string `json:"-"`
}

// ParseSubmission reads the JSON form.
func ParseSubmission(payload []byte) (Submission, error) {
	var s Submission
	if err := json.Unmarshal(payload, &s); err != nil {
		return s, &devices.FieldError{Field: "body", Reason: fmt.Sprintf("this is not a report in JSON: %v", err)}
	}
	return s, nil
}

// check cleans the texts and says what is wrong with the first bad field.
func (s *Submission) check(categories []Category) error {
	bad := func(field, reason string) error { return &devices.FieldError{Field: field, Reason: reason} }
	for _, f := range []field{{"description", &s.Description, 4000}, {"address", &s.Address, 300}, {"name", &s.Name, 100}, {"client_id", &s.ClientID, 64}} {
		if err := f.clean(); err != nil {
			return err
		}
	}
	if s.Description == "" {
		return bad("description", "say in a few words what you saw")
	}
	if !slices.ContainsFunc(categories, func(c Category) bool { return c.ID == s.Category }) {
		return bad("category", fmt.Sprintf("%.40q is no category; GET /api/v1/report-categories lists them", s.Category))
	}
	if (s.Lat == nil) != (s.Lon == nil) {
		return bad("lat", "lat and lon belong together")
	}
	if s.Lat != nil {
		lat, lon := *s.Lat, *s.Lon
		switch {
		case lat >= 4 && lat <= 24 && lon >= 100 && lon <= 121:
		case lon >= 4 && lon <= 24 && lat >= 100 && lat <= 121:
			return bad("lat", fmt.Sprintf("latitude %g and longitude %g look swapped", lat, lon))
		default:
			return bad("lat", fmt.Sprintf("latitude %g, longitude %g is not in Vietnam", lat, lon))
		}
	}
	if s.Lat == nil && s.Address == "" {
		return bad("lat", "a report needs a place: lat and lon, or an address")
	}
	s.Phone = strings.NewReplacer(" ", "", ".", "", "-", "").Replace(s.Phone)
	if digits := strings.TrimPrefix(s.Phone, "+"); s.Phone != "" && (len(digits) < 8 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "") {
		return bad("phone", "a phone number has 8 to 15 digits")
	}
	if len(s.Photos) > MaxPhotos {
		return bad("photos", fmt.Sprintf("at most %d photos", MaxPhotos))
	}
	return nil
}

// identity is the client's own id or, for senders that have none but may send
// twice (MQTT), a hash of everything.
func (s *Submission) identity() *string {
	id := s.ClientID
	if id == "" {
		if s.Channel != "mqtt" {
			return nil
		}
		b, _ := json.Marshal(s)
		h := sha256.Sum256(b)
		id = "sha256:" + hex.EncodeToString(h[:])
	}
	return &id
}

// tells says whether r is what is submitted: what was sent again tells the same.
func (s *Submission) tells(r *Report) bool {
	return s.Category == r.Category && personal.Text(s.Description) == r.Description
}

// ownIdentity is identity when another report has that.
func (s *Submission) ownIdentity() *string {
	h := sha256.Sum256([]byte(s.ClientID + "\x00" + s.Category + "\x00" + s.Description))
	id := "sha256:" + hex.EncodeToString(h[:])
	return &id
}
