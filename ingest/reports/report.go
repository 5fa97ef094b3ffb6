package reports

import (
	"time"

	"haidang/devices"
)

// State is how far a report has come.
type State string

// The states of a report.
const (
	Received State = "received"
	Accepted State = "accepted"
	Refused  State = "refused"
	Assigned State = "assigned"
	Answered State = "answered"
)

// states are all of them, in the order of a report's life.
var states = []State{Received, Accepted, Refused, Assigned, Answered}

// Report is one citizen's report as others may see it: what tells a person is
// hidden (Service.Unmask gives it).
type Report struct {
	Code         string `json:"code"`
	State        State  `json:"state"`
	Category     string `json:"category"`
	CategoryName Name   `json:"category_name"`
	// Description is without the numbers of phones and plates in it.
	Description string   `json:"description"`
	Lat         *float64 `json:"lat,omitempty"`
	Lon         *float64 `json:"lon,omitempty"`
	// Approximate: Lat and Lon are within about a kilometre, for the place may
	// be somebody's home.
	Approximate bool   `json:"approximate,omitempty"`
	Address     string `json:"address,omitempty"`
	// Area is where it is, AreaVersion which version of the area counted when it
	// was made (areas.Ref).
	Area        string `json:"area,omitempty"`
	AreaVersion string `json:"area_version,omitempty"`
	Agency      string `json:"agency,omitempty"`
	AgencyName  string `json:"agency_name,omitempty"`
	Channel     string `json:"channel"`
	PhoneMasked string `json:"phone_masked,omitempty"`
	// ReporterMasked are the first letters of the reporter's name.
	ReporterMasked string     `json:"reporter_masked,omitempty"`
	Photos         []Photo    `json:"photos"`
	Timeline       []Step     `json:"timeline"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	AnsweredAt     *time.Time `json:"answered_at,omitempty"`
	// AnonymisedAt is when what tells a person was taken out for good.
	AnonymisedAt *time.Time `json:"anonymised_at,omitempty"`
	// Seq is the number of the change that made it so.
	Seq int64 `json:"seq"`
}

// Name is a label in both languages.
type Name = devices.Name

// Photo is a stored picture.
type Photo struct {
	SHA256 string `json:"sha256"`
	URL    string `json:"url"`
}

// Step is one thing that happened to a report.
type Step struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	By    string    `json:"by,omitempty"`
	Text  string    `json:"text,omitempty"`
}

// SetSeq implements changelog.Numbered.
func (r *Report) SetSeq(n int64) { r.Seq = n }
