package alerts

import (
	"time"

	"haidang/devices"
)

// Severity is how bad an alert is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	Major    Severity = "major"
	Minor    Severity = "minor"
	Info     Severity = "info"
)

// Severities lists them, worst first.
var Severities = []Severity{Critical, Major, Minor, Info}

// State is whether the condition holds. Whether somebody acknowledged it is
// apart from that.
type State string

// The states of an alert.
const (
	Open   State = "open"
	Closed State = "closed"
)

// Why an alert is closed, other than that its condition ended.
const (
	// RuleRemoved: its rule is no longer in force.
	RuleRemoved = "rule_removed"
	// Withdrawn: it was found late, and data that came later still shows that
	// its condition did not hold, or belongs to another alert.
	Withdrawn = "withdrawn"
	// OutOfService: its device was suspended, retired or removed, and may be
	// silent.
	OutOfService = "out_of_service"
)

// CohortKind is the kind, and the rule, of an alert that many devices of one
// group fell silent together: their gateway, network or vendor failed.
const CohortKind = "cohort"

// Name is a label in both languages.
type Name = devices.Name

// Alert is one continuing occurrence of a rule at a device.
type Alert struct {
	ID         string `json:"id"`
	Rule       string `json:"rule"`
	RuleName   Name   `json:"rule_name"`
	Kind       string `json:"kind"`
	Device     string `json:"device"`
	DeviceName string `json:"device_name"`
	DeviceType string `json:"device_type"`
	Area       string `json:"area"`
	// AreaVersion is the version of the area that counted when it began
	// (areas.Ref); empty when the area is not known.
	AreaVersion string   `json:"area_version,omitempty"`
	Severity    Severity `json:"severity"`
	State       State    `json:"state"`
	// StartedAt is event time: when the condition began. DetectedAt is when
	// the server saw it.
	StartedAt  time.Time  `json:"started_at"`
	DetectedAt time.Time  `json:"detected_at"`
	ClearedAt  *time.Time `json:"cleared_at,omitempty"`
	// ClearReason is empty when the condition ended; else RuleRemoved,
	// Withdrawn or OutOfService.
	ClearReason string     `json:"clear_reason,omitempty"`
	AckedAt     *time.Time `json:"acked_at,omitempty"`
	AckedBy     string     `json:"acked_by,omitempty"`
	AckNote     string     `json:"ack_note,omitempty"`
	// Late says that it was raised by data that did not arrive live: it is
	// for review, never for the siren.
	Late      bool     `json:"late"`
	Metric    string   `json:"metric,omitempty"`
	Value     *float64 `json:"value,omitempty"`
	Threshold *float64 `json:"threshold,omitempty"`
	Fence     string   `json:"fence,omitempty"`
	// Cohort is the alert of the group outage that this silence is part of: it
	// is shown under it, and has no siren of its own.
	Cohort string `json:"cohort,omitempty"`
	// Group names what fell silent together, as kind:name; Members are the
	// devices, Of is how many of its kind spoke before. Only of a CohortKind.
	Group     string   `json:"group,omitempty"`
	Members   []string `json:"members,omitempty"`
	Of        int      `json:"of,omitempty"`
	Summary   string   `json:"summary"`
	SummaryEN string   `json:"summary_en"`
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	Seq       int64    `json:"seq"`
}

// Key is the identity under which at most one alert is open.
func (a *Alert) Key() string {
	if a.Kind == CohortKind {
		return a.Rule + "|" + a.Group
	}
	return a.Rule + "|" + a.Device + "|" + a.Fence
}

// SetSeq implements changelog.Numbered.
func (a *Alert) SetSeq(n int64) { a.Seq = n }
