package firmwaresim

import (
	"fmt"
	"slices"
	"time"
)

// The faults a scenario can strike with.
const (
	FaultDropout   = "dropout"   // the connection breaks; what is measured meanwhile comes later, or never
	FaultLate      = "late"      // one reading comes long after its fix time
	FaultDuplicate = "duplicate" // the same bytes again
	FaultReorder   = "reorder"   // a reading comes after its successor
	FaultSkew      = "skew"      // the device's clock is wrong
	FaultGarbage   = "garbage"   // bytes that are no reading
	FaultBurst     = "burst"     // a backlog, all at once
)

var faultKinds = []string{FaultDropout, FaultLate, FaultDuplicate, FaultReorder, FaultSkew, FaultGarbage, FaultBurst}

// Fault says what goes wrong, how likely, for whom and when.
type Fault struct {
	Kind        string        `yaml:"kind"`
	Probability float64       `yaml:"probability"` // of each reading; for skew, of each device
	Types       []string      `yaml:"types"`       // all if empty
	Devices     []string      `yaml:"devices"`     // all if empty
	From        time.Duration `yaml:"from"`        // window in virtual time since the start
	Until       time.Duration `yaml:"until"`       // 0 is for ever
	For         time.Duration `yaml:"for"`         // how long out, how late; virtual time
	By          time.Duration `yaml:"by"`          // skew; may be below zero
	Count       int           `yaml:"count"`       // readings of a burst
	Lose        bool          `yaml:"lose"`        // a dropout's readings are lost, not sent later
}

func (f Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind %q is none of %v", f.Kind, faultKinds)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability %v of %s is not between 0 and 1", f.Probability, f.Kind)
	case f.Until != 0 && f.Until <= f.From:
		return fmt.Errorf("until of %s is not after from", f.Kind)
	case (f.Kind == FaultDropout || f.Kind == FaultLate) && f.For <= 0:
		return fmt.Errorf("%s needs for, such as 30m", f.Kind)
	case f.Kind == FaultSkew && f.By == 0:
		return fmt.Errorf("skew needs by, such as -2h")
	case f.Kind == FaultBurst && (f.Count < 1 || f.Count > 10_000):
		return fmt.Errorf("burst needs a count from 1 to 10000")
	}
	for _, t := range f.Types {
		if !slices.Contains(deviceTypes, t) {
			return fmt.Errorf("type %q of %s is none of %v", t, f.Kind, deviceTypes)
		}
	}
	return nil
}

// strikes says whether the fault can hit the device at this virtual time.
func (f Fault) strikes(d *Device, since time.Duration) bool {
	return since >= f.From && (f.Until == 0 || since < f.Until) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, d.Type)) &&
		(len(f.Devices) == 0 || slices.Contains(f.Devices, d.ID))
}
