package mqtt

import (
	"strings"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// store keeps what was sent and not yet answered. What comes in, at QoS 1 at
// most, is the broker's to keep until it is acknowledged, so paho need not.
//
// It keeps and gives copies. After a reconnect paho sends again what is here,
// marked as such, while a message published in that moment may be on its way as
// the same packet: two goroutines would write to it.
type store struct{ *paho.MemoryStore }

// NewStore is a paho.Store in memory, without what comes in. A client that
// reconnects by itself and publishes at QoS 1 needs it, or its packets race.
func NewStore() paho.Store { return store{paho.NewMemoryStore()} }

func isInbound(key string) bool { return strings.HasPrefix(key, "i.") }

// Put implements paho.Store.
func (s store) Put(key string, p packets.ControlPacket) {
	if !isInbound(key) {
		s.MemoryStore.Put(key, copied(p))
	}
}

// Get implements paho.Store.
func (s store) Get(key string) packets.ControlPacket { return copied(s.MemoryStore.Get(key)) }

// Del implements paho.Store.
func (s store) Del(key string) {
	if !isInbound(key) {
		s.MemoryStore.Del(key)
	}
}

// copied shares the payload, which nobody changes.
func copied(p packets.ControlPacket) packets.ControlPacket {
	if publish, ok := p.(*packets.PublishPacket); ok {
		c := *publish
		return &c
	}
	return p
}
