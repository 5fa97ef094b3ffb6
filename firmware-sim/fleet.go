package firmwaresim

import (
	"fmt"
	"math/rand/v2"
)

// Devices gives the scenario's own devices.
func (s *Scenario) Devices() []Device { return s.Fleet(0) }

// Fleet gives n devices in the scenario's proportions; 0 is as many as the
// scenario has. The first of each group keep their ids, names and places
// whatever n is, so a larger run contains the smaller one's devices.
func (s *Scenario) Fleet(n int) []Device {
	own := 0
	for _, g := range s.Groups {
		own += g.size()
	}
	if n <= 0 {
		n = own
	}
	fleet := make([]Device, 0, n)
	before := 0
	for _, g := range s.Groups {
		// Shares by running sums add up to n whatever is rounded away.
		from := before * n / own
		before += g.size()
		for i := range before*n/own - from {
			fleet = append(fleet, g.device(i))
		}
	}
	return fleet
}

func (g Group) size() int {
	if g.Count > 0 {
		return g.Count
	}
	return len(g.Sites)
}

// device makes the group's device number i. Those beyond the sites stand
// near one of them, or for vessels belong to the same port.
func (g Group) device(i int) Device {
	site := g.Sites[i%len(g.Sites)]
	d := Device{
		ID: fmt.Sprintf(g.ID, i+1), Type: g.Type, Name: site.Name, Area: site.Area,
		Lat: site.Lat, Lon: site.Lon, Interval: g.Interval,
	}
	if d.Mobile() {
		d.Name = fmt.Sprintf("Tàu cá mô phỏng %02d (%s)", i+1, site.Name)
		return d
	}
	if i >= len(g.Sites) {
		near := rand.New(rand.NewPCG(uint64(i), 0x5e7))
		d.Name = fmt.Sprintf("%s, điểm %d", site.Name, i+1)
		d.Lat = round(site.Lat+(near.Float64()-0.5)*0.03, 5)
		d.Lon = round(site.Lon-near.Float64()*0.03, 5) // westward: inland
	}
	return d
}
