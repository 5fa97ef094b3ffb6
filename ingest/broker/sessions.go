package broker

import (
	"maps"
	"sync"

	"haidang/devices"
	"haidang/devices/credentials"
)

// sessions are the connections of each device, with what it signed in with. NATS
// does not say when one ends; a device's gone ones are left out when it connects
// again, so that no more are kept than a device ever has at once.
type sessions struct {
	mu sync.Mutex
	by map[string]map[uint64]credentials.Pass // device key → NATS' number of the connection
}

func (s *sessions) add(p credentials.Pass, cid uint64, alive func(uint64) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.by[p.Device.Key()]
	if own == nil {
		own = map[uint64]credentials.Pass{}
		s.by[p.Device.Key()] = own
	}
	maps.DeleteFunc(own, func(cid uint64, _ credentials.Pass) bool { return !alive(cid) })
	own[cid] = p
}

func (s *sessions) of(id devices.ID) map[uint64]credentials.Pass {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.by[id.Key()])
}
