package engine

import (
	"haidang/alerts"
	"haidang/devices"
	"haidang/devices/areas"
)

// locate gives a new alert its area: that of the device, as it was when the alert
// began. What moves is where it is.
func (e *Engine) locate(a *alerts.Alert, dev *devices.Device) {
	if e.areas == nil {
		return
	}
	code := e.reg.AreaAt(dev, a.StartedAt)
	var where *devices.Position
	if a.Lat != nil {
		where = &devices.Position{Lat: *a.Lat, Lon: *a.Lon}
	}
	ref, known := areas.Ref{}, false
	if t, ok := e.reg.Type(dev.Type); code != "" && !(ok && t.Mobile) {
		ref, known = e.areas.Locate(nil, code, a.StartedAt)
	}
	if !known {
		ref, known = e.areas.Locate(where, code, a.StartedAt)
	}
	if known {
		a.Area, a.AreaVersion = ref.Code, ref.String()
	}
}
