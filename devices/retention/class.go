package retention

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"

	"haidang/devices"
)

//go:embed classes.yaml
var classesYAML []byte

// The classes that ship, by id.
const (
	Readings       = "readings"
	Plates         = "plates"
	Rollups        = "rollups"
	VesselTracks   = "vessel_tracks"
	DeadLetters    = "dead_letters"
	Commands       = "commands"
	ReportPersonal = "report_personal"
	Photos         = "photos"
)

// IsVessel says whether what devices of a type send is a vessel track.
func IsVessel(t devices.TypeID) bool { return t == "fishing_vessel" }

// Name is a text in both languages.
type Name = devices.Name

// Class is one kind of what is kept, and for how long.
type Class struct {
	ID     string `json:"id"`
	Name   Name   `json:"name"`
	Covers Name   `json:"covers"`
	// Keep is how long; the zero Period: for ever.
	Keep Period `json:"keep"`
	// Least is what Keep may not be set below.
	Least Period `json:"least"`
	// Law is where that stands, or why it is so.
	Law Name `json:"law"`
	// Does is what happens then: "remove", "anonymise" (counts are left) or
	// "keep".
	Does string `json:"does"`
	// Typed: ByType may give types of devices a time of their own.
	Typed  bool                      `json:"typed"`
	ByType map[devices.TypeID]Period `json:"by_type"`
	// Fixed: it cannot be changed here.
	Fixed bool `json:"fixed"`
	// Version grows by one with each change; 0: as it shipped.
	Version int64 `json:"version"`
}

// For is how long things of a device of a type are kept.
func (c *Class) For(t devices.TypeID) Period {
	if p, ok := c.ByType[t]; ok {
		return p
	}
	return c.Keep
}

// Shipped are the classes as they come with the program.
func Shipped() ([]Class, error) {
	var raw []struct {
		ID, Keep, Least, Does string
		Name, Covers, Law     Name
		Typed, Fixed          bool
	}
	if err := yaml.NewDecoder(bytes.NewReader(classesYAML), yaml.Strict()).Decode(&raw); err != nil {
		return nil, fmt.Errorf("read retention classes: %w", err)
	}
	cs := make([]Class, len(raw))
	for i, r := range raw {
		keep, err := ParsePeriod(r.Keep)
		if err != nil {
			return nil, fmt.Errorf("retention class %s: %w", r.ID, err)
		}
		least, err := ParsePeriod(r.Least)
		if err != nil {
			return nil, fmt.Errorf("retention class %s: %w", r.ID, err)
		}
		cs[i] = Class{ID: r.ID, Name: r.Name, Covers: r.Covers, Keep: keep, Least: least, Law: r.Law, Does: r.Does, Typed: r.Typed, Fixed: r.Fixed, ByType: map[devices.TypeID]Period{}}
	}
	return cs, nil
}

// check says what is wrong with times that a class is to have.
func (c *Class) check(keep Period, byType map[devices.TypeID]Period, known func(devices.TypeID) bool) error {
	if c.Fixed {
		return &devices.FieldError{Field: "id", Reason: fmt.Sprintf("the class %s cannot be changed here: %s", c.ID, c.Law.EN)}
	}
	if err := c.allows("keep", keep); err != nil {
		return err
	}
	if len(byType) > 0 && !c.Typed {
		return &devices.FieldError{Field: "by_type", Reason: fmt.Sprintf("the class %s has one time for all", c.ID)}
	}
	for t, p := range byType {
		field := "by_type." + string(t)
		if IsVessel(t) {
			return &devices.FieldError{Field: field, Reason: "what this type sends is kept by the class " + VesselTracks}
		}
		if !known(t) {
			return &devices.FieldError{Field: field, Reason: fmt.Sprintf("%.40q is no device type", t)}
		}
		if err := c.allows(field, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *Class) allows(field string, p Period) error {
	if !c.Least.Forever() && p.shorter(c.Least) {
		return &devices.FieldError{Field: field, Reason: fmt.Sprintf("%s is less than %s, the least for the class %s. %s", p.words(), c.Least.words(), c.ID, c.Law.EN)}
	}
	return nil
}
