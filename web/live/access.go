package live

import (
	"encoding/json"

	"haidang/devices"
)

// Access is what a session may see.
type Access struct {
	// Channel says whether it may follow a channel.
	Channel func(name string) bool
	// Device says whether it may see a device on the map; nil: all of them.
	// Limits names what it says: who has the same shares frames.
	Device func(*devices.Device) bool
	Limits string
	// Item is an item of a lossless channel as it may see it, nil when it may
	// not; nil: all as they are.
	Item func(channel string, item json.RawMessage) json.RawMessage
}

// show leaves what may be seen.
func (a *Access) show(channel string, items []json.RawMessage) []json.RawMessage {
	if a.Item == nil {
		return items
	}
	out := make([]json.RawMessage, 0, len(items))
	for _, it := range items {
		if it = a.Item(channel, it); it != nil {
			out = append(out, it)
		}
	}
	return out
}
