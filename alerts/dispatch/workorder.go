// Package dispatch sends crews and keeps what they did: work orders, step by
// step, each with who, when, where, words and photos.
package dispatch

import "time"

// State is how far a work order has come.
type State string

// The states of a work order.
const (
	Offered   State = "offered"
	Accepted  State = "accepted"
	EnRoute   State = "en_route"
	OnScene   State = "on_scene"
	Resolved  State = "resolved"
	Declined  State = "declined"
	Cancelled State = "cancelled"
)

// WorkOrder is a task given to a crew.
type WorkOrder struct {
	ID           string   `json:"id"`
	Title        string   `json:"title"`
	Instructions string   `json:"instructions"`
	State        State    `json:"state"`
	Crew         string   `json:"crew"`
	CrewName     string   `json:"crew_name"`
	Alert        string   `json:"alert,omitempty"`
	Report       string   `json:"report,omitempty"`
	Lat          *float64 `json:"lat,omitempty"`
	Lon          *float64 `json:"lon,omitempty"`
	// Area is where it is, AreaVersion which version of the area counted when
	// the order was given (areas.Ref).
	Area        string    `json:"area,omitempty"`
	AreaVersion string    `json:"area_version,omitempty"`
	Priority    string    `json:"priority"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
	UpdatedAt   time.Time `json:"updated_at"`
	Timeline    []Event   `json:"timeline"`
	Photos      []string  `json:"photos"`
	Seq         int64     `json:"seq"`
}

// Event is one step of a work order. At is when the crew did it, by the
// phone's clock; ReceivedAt is when the server heard of it.
type Event struct {
	At         time.Time `json:"at"`
	ReceivedAt time.Time `json:"received_at"`
	State      State     `json:"state"`
	By         string    `json:"by,omitempty"`
	Text       string    `json:"text,omitempty"`
	Lat        *float64  `json:"lat,omitempty"`
	Lon        *float64  `json:"lon,omitempty"`
	Photos     []string  `json:"photos,omitempty"`
}

// step says from where a step may be taken, where it leads, and what it needs.
type step struct {
	from      []State
	to        State
	needsText string
}

var steps = map[string]step{
	"accept":   {from: []State{Offered}, to: Accepted},
	"decline":  {from: []State{Offered}, to: Declined, needsText: "say why it is declined"},
	"en-route": {from: []State{Accepted}, to: EnRoute},
	"on-scene": {from: []State{Accepted, EnRoute}, to: OnScene},
	"resolve":  {from: []State{OnScene}, to: Resolved, needsText: "say in a few words what was done"},
	"cancel":   {from: []State{Offered, Accepted, EnRoute, OnScene}, to: Cancelled, needsText: "say why it is cancelled"},
}

// Active says whether a crew still has work with it.
func (s State) Active() bool { return s != Resolved && s != Declined && s != Cancelled }

// SetSeq implements changelog.Numbered.
func (w *WorkOrder) SetSeq(n int64) { w.Seq = n }
