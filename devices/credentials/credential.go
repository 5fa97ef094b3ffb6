package credentials

import (
	"strings"
	"time"

	"haidang/devices"
)

// State says where a credential is in its life.
type State string

// A credential is pending before its NotBefore, active, expired from its
// NotAfter on, or revoked by somebody.
const (
	Pending State = "pending"
	Active  State = "active"
	Expired State = "expired"
	Revoked State = "revoked"
)

// Credential lets a device sign in with a secret. The secret itself is nowhere.
type Credential struct {
	ID     int64
	Device devices.ID
	// Slot is 1 or 2. Two may be valid at a time, so that a device can be given
	// a new one before the old one ends.
	Slot  int
	Label string
	// NotBefore and NotAfter bound its validity, from and until, in UTC; zero
	// is no bound.
	CreatedAt, NotBefore, NotAfter time.Time
	// RevokedAt is when somebody ended it; zero: nobody did.
	RevokedAt time.Time
	// UsedAt is when it was last signed in with, to a minute; zero: never.
	UsedAt time.Time

	hash      string
	mosquitto string
}

// State is its state at a time.
func (c *Credential) State(now time.Time) State {
	switch {
	case !c.RevokedAt.IsZero():
		return Revoked
	case !c.NotAfter.IsZero() && !now.Before(c.NotAfter):
		return Expired
	case now.Before(c.NotBefore):
		return Pending
	}
	return Active
}

// Username is what a device signs in as with it. mosquitto knows one password
// for a name; the second of two that are valid has a name of its own there, and
// both names are understood by the broker inside.
func (c *Credential) Username() string {
	if c.Slot == 2 {
		return string(c.Device) + secondSlot
	}
	return string(c.Device)
}

// secondSlot cannot be part of an id.
const secondSlot = "~2"

// DeviceOf is the device that a username names, if there is such a device.
func DeviceOf(username string) devices.ID {
	return devices.ID(strings.TrimSuffix(username, secondSlot))
}

// parseUsername parts a username into the device and the slot its secret must
// be of; 0 is any.
func parseUsername(name string) (id devices.ID, slot int, err error) {
	if own, second := strings.CutSuffix(name, secondSlot); second {
		name, slot = own, 2
	}
	id, err = devices.ParseID(name)
	return id, slot, err
}
