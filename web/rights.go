package web

import (
	"encoding/json"
	"net/http"

	"haidang/alerts"
	"haidang/alerts/dispatch"
	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/people"
	"haidang/devices/personal"
	"haidang/ingest/reports"
	"haidang/web/live"
)

// Where things lie, for the rights that are limited to areas and categories.

func deviceScope(d *devices.Device) people.Scope {
	return people.Scope{Area: d.Area, Category: string(d.Type)}
}

// sees says of each device whether who asks may do a to it; nil: to all.
func (s *Server) sees(r *http.Request, a people.Action) func(*devices.Device) bool {
	rights := who(r).rights
	if rights.Everywhere(a) {
		return nil
	}
	return func(d *devices.Device) bool { return rights.Allow(a, deviceScope(d)) }
}

func alertScope(a *alerts.Alert) people.Scope {
	return people.Scope{Area: a.Area, Category: a.DeviceType}
}

func reportScope(r *reports.Report) people.Scope {
	return people.Scope{Area: r.Area, Category: r.Category}
}

// orderScope is where an order lies, and the category of what it is about; one
// that lies nowhere and is about nothing is seen without limits only.
func (s *Server) orderScope(r *http.Request, o *dispatch.WorkOrder) people.Scope {
	var in people.Scope
	if o.Report != "" {
		if rep, err := s.Reports.Get(r.Context(), o.Report); err == nil {
			in = reportScope(rep)
		}
	}
	if o.Alert != "" {
		if a, err := s.Alerts.Get(r.Context(), o.Alert); err == nil {
			in = alertScope(a)
		}
	}
	if o.Area != "" {
		in.Area = o.Area
	}
	return in
}

// mayOrder says whether who asks may do a to a work order. A crew sees its own.
func (s *Server) mayOrder(r *http.Request, a people.Action, o *dispatch.WorkOrder) bool {
	id := who(r)
	return id.rights.Everywhere(a) || id.rights.Has(a) && id.crew != "" && id.crew == o.Crew || id.rights.Allow(a, s.orderScope(r, o))
}

// showOrder is an order as who asks may see it: where a report lies that is
// shown about, the exact place is for who works on it, and so are numbers of
// phones and plates in its words.
func (s *Server) showOrder(r *http.Request, o *dispatch.WorkOrder) *dispatch.WorkOrder {
	if s.mayOrder(r, people.WorkOrderAct, o) || s.mayOrder(r, people.ReportHandle, o) {
		return o
	}
	shown := *o
	shown.Title, shown.Instructions = personal.Text(o.Title), personal.Text(o.Instructions)
	shown.Timeline = make([]dispatch.Event, len(o.Timeline))
	for i, e := range o.Timeline {
		e.Text = personal.Text(e.Text)
		if o.Report != "" {
			e.Lat, e.Lon = coarse(e.Lat), coarse(e.Lon)
		}
		shown.Timeline[i] = e
	}
	if o.Report != "" {
		shown.Lat, shown.Lon = coarse(o.Lat), coarse(o.Lon)
	}
	return &shown
}

func coarse(degrees *float64) *float64 {
	if degrees == nil {
		return nil
	}
	x := personal.Place(*degrees)
	return &x
}

// visible reads on until a page holds something that may be seen, or there is no
// more: within limits a page can be shorter than was asked for.
func visible[T any](before int64, read func(before int64) ([]T, int64, error), sees func(T) bool) (out []T, next int64, err error) {
	for {
		items, next, err := read(before)
		if err != nil {
			return nil, 0, err
		}
		for _, it := range items {
			if sees(it) {
				out = append(out, it)
			}
		}
		if len(out) > 0 || next == 0 {
			return out, next, nil
		}
		before = next
	}
}

// channels say which action each channel of the websocket needs.
var channels = map[string]people.Action{
	"map": people.DeviceRead, "stats": people.StatsRead, alerts.Channel: people.AlertRead, reports.Channel: people.ReportRead, dispatch.Channel: people.WorkOrderRead,
	commands.Channel: people.DeviceRead,
}

// access is what the session may see live.
func (s *Server) access(r *http.Request) live.Access {
	rights := who(r).rights
	a := live.Access{Channel: func(name string) bool {
		if name == "stats" {
			return rights.Everywhere(people.StatsRead)
		}
		action, known := channels[name]
		return known && rights.Has(action)
	}}
	if limits := rights.Limits(people.DeviceRead); limits != "" {
		a.Limits = limits
		a.Device = func(d *devices.Device) bool { return rights.Allow(people.DeviceRead, deviceScope(d)) }
	}
	a.Item = func(channel string, item json.RawMessage) json.RawMessage { return s.showItem(r, channel, item) }
	return a
}

// showItem is a change in a lossless channel as who asks may see it; nil: not
// at all.
func (s *Server) showItem(r *http.Request, channel string, item json.RawMessage) json.RawMessage {
	rights := who(r).rights
	switch channel {
	case alerts.Channel:
		if rights.Everywhere(people.AlertRead) {
			return item
		}
		var a alerts.Alert
		if json.Unmarshal(item, &a) != nil {
			return nil
		}
		shown := s.showAlert(r, &a)
		if shown == &a {
			return item
		}
		return marshalled(shown)
	case reports.Channel:
		if rights.Everywhere(people.ReportRead) {
			return item
		}
		var rep reports.Report
		if json.Unmarshal(item, &rep) != nil || !rights.Allow(people.ReportRead, reportScope(&rep)) {
			return nil
		}
	case commands.Channel:
		item = showAnswer(item)
		if !rights.Everywhere(people.DeviceRead) && !s.seesCommand(r, item) {
			return nil
		}
	case dispatch.Channel:
		if rights.Everywhere(people.WorkOrderRead) && (rights.Everywhere(people.WorkOrderAct) || rights.Everywhere(people.ReportHandle)) {
			return item
		}
		var o dispatch.WorkOrder
		if json.Unmarshal(item, &o) != nil || !s.mayOrder(r, people.WorkOrderRead, &o) {
			return nil
		}
		if shown := s.showOrder(r, &o); shown != &o {
			return marshalled(shown)
		}
	}
	return item
}

// showAnswer hides what tells a person in what a device found: a camera may have
// read a plate.
func showAnswer(item json.RawMessage) json.RawMessage {
	var c struct {
		Device devices.ID
		Result json.RawMessage
	}
	if json.Unmarshal(item, &c) != nil || c.Device == "" || len(c.Result) == 0 {
		return item
	}
	var found commands.Command
	if json.Unmarshal(item, &found) != nil {
		return nil
	}
	return marshalled(showCommand(&found))
}

// showCommand is a command without what tells a person in its answer.
func showCommand(c *commands.Command) *commands.Command {
	shown := *c
	shown.Message = personal.Text(c.Message)
	if len(c.Result) > 0 {
		shown.Result = personal.Payload(c.Result)
	}
	return &shown
}

// marshalled is an item in JSON; nil when there is none.
func marshalled[T any](x *T) json.RawMessage {
	if x == nil {
		return nil
	}
	b, err := json.Marshal(x)
	if err != nil {
		return nil
	}
	return b
}

// seesCommand says whether a change in the channel of commands, one for a device
// or a bulk one, is of devices that who asks may see.
func (s *Server) seesCommand(r *http.Request, item json.RawMessage) bool {
	var c struct {
		ID     string
		Device devices.ID
		Total  int
	}
	if json.Unmarshal(item, &c) != nil {
		return false
	}
	if c.Device == "" {
		may, err := s.mayBatch(r, people.DeviceRead, &commands.Batch{ID: c.ID, Total: c.Total})
		return err == nil && may
	}
	d, ok := s.Registry.Get(c.Device)
	return ok && who(r).rights.Allow(people.DeviceRead, deviceScope(d))
}
