package engine

import (
	"haidang/alerts"
	"haidang/devices"
)

// locate gives a new alert its area: that of the device, as it was when the alert
// began. What moves is where it is.
func (e *Engine) locate(a *alerts.Alert, dev *devices.Device) {
	if e.areas == nil {
		return
	}
	var where *devices.Position
	if t, ok := e.reg.Type(dev.Type); a.Lat != nil && (dev.Area == "" || ok && t.Mobile) {
		where = &devices.Position{Lat: *a.Lat, Lon: *a.Lon}
	}
	if ref, known := e.areas.Locate(where, dev.Area, a.StartedAt); known {
		a.Area, a.AreaVersion = ref.Code, ref.String()
	}
}
