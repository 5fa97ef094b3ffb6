package devices

import (
	"encoding/json"

	"haidang/devices/personal"
)

// Masked is the device as lists, files and the audit log show it: notes often
// say whom to call, so their numbers of phones and plates are hidden.
func (d *Device) Masked() *Device {
	if d.Notes == "" && d.LifeReason == "" {
		return d
	}
	shown := *d
	shown.Notes, shown.LifeReason = personal.Text(d.Notes), personal.Text(d.LifeReason)
	return &shown
}

// KeepNotes leaves the notes of old in d when d has them as Masked shows them:
// an edit or a file that was made from those did not mean to change them.
func (d *Device) KeepNotes(old *Device) {
	if d.Notes == personal.Text(old.Notes) {
		d.Notes = old.Notes
	}
}

// told is a device for the audit log.
func (d *Device) told() json.RawMessage { return d.Masked().record() }
