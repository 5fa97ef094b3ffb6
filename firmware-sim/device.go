package firmwaresim

import "time"

// The device types that can be simulated; the names are those of the wire.
const (
	TypeAirStation    = "air_station"
	TypeWaterLevel    = "water_level"
	TypeTrafficCamera = "traffic_camera"
	TypeFishingVessel = "fishing_vessel"
)

// Device is one simulated device, with what a registry needs to know of it.
type Device struct {
	ID       string        `json:"id"`
	Type     string        `json:"type"`
	Name     string        `json:"name"` // Vietnamese
	Area     string        `json:"area"` // area code, such as dong-hoi
	Lat      float64       `json:"lat"`
	Lon      float64       `json:"lon"`
	Interval time.Duration `json:"interval"` // of the real device; a time factor shortens it
}

// Topic gives the topic of one of the device's leaves: readings, events, state.
func (d Device) Topic(leaf string) string { return "ioc/v1/devices/" + d.ID + "/" + leaf }

// Mobile says whether readings carry a position.
func (d Device) Mobile() bool { return d.Type == TypeFishingVessel }
