package credentials

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"time"

	"haidang/devices"
)

// ErrRefused is returned when what somebody shows lets them sign in as nobody,
// whatever the cause: they are not told which.
var ErrRefused = errors.New("not let in")

// ErrTooMany is returned when an address gave so many wrong secrets that more
// are not looked at for a while.
var ErrTooMany = errors.New("too many wrong secrets")

// Pass is what a device signed in with.
type Pass struct {
	// Device is its id as it is registered, As the same as it spelled it.
	Device, As devices.ID
	// Credential is the id of its credential; 0 for a certificate, whose
	// fingerprint and end are the others.
	Credential  int64
	Certificate string
	NotAfter    time.Time
}

// SignIn checks a username and secret that came from address (host:port). The
// errors are ErrRefused and ErrTooMany.
func (s *Store) SignIn(username, secret, address string) (Pass, error) {
	id, slot, err := parseUsername(username)
	if err != nil || secret == "" {
		return Pass{}, ErrRefused
	}
	d, ok := s.o.Registry.Get(id)
	if !ok || s.allowed(d.ID) != nil {
		return Pass{}, ErrRefused
	}
	now := time.Now()
	var shown [32]byte
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(d.ID.Key() + "\x00" + secret))
	mac.Sum(shown[:0])
	var unsure []*Credential
	s.mu.RLock()
	for _, c := range s.live[d.ID.Key()] {
		if c.State(now) != Active || slot != 0 && c.Slot != slot {
			continue
		}
		// A known one is right or, with another secret, wrong: no need to hash.
		known, is := s.known[c.ID]
		if is && hmac.Equal(known[:], shown[:]) {
			s.mu.RUnlock()
			return s.pass(c, Pass{Device: d.ID, As: id, Credential: c.ID}), nil
		}
		if !is {
			unsure = append(unsure, c)
		}
	}
	s.mu.RUnlock()
	if s.guesses.spent(address, d.ID, now) {
		return Pass{}, ErrTooMany
	}
	for _, c := range unsure {
		s.hashing <- struct{}{}
		ok, old := matches(c.hash, secret)
		if ok && old {
			c = c.rehashed(secret)
		}
		<-s.hashing
		if ok {
			s.learn(c, shown, old)
			return s.pass(c, Pass{Device: d.ID, As: id, Credential: c.ID}), nil
		}
	}
	s.guesses.count(address, d.ID, now)
	return Pass{}, ErrRefused
}

// Valid says whether what a device signed in with still holds.
func (s *Store) Valid(p Pass) bool {
	if s.allowed(p.Device) != nil {
		return false
	}
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p.Certificate != "" {
		return !s.revoked[p.Certificate] && now.Before(p.NotAfter)
	}
	for _, c := range s.live[p.Device.Key()] {
		if c.ID == p.Credential {
			return c.State(now) == Active
		}
	}
	return false
}

// allowed says why a device that exists may not sign in.
func (s *Store) allowed(id devices.ID) error {
	if s.o.Allowed == nil {
		return nil
	}
	return s.o.Allowed(id)
}

// learn remembers that a secret was found right, and hashes of today's form.
func (s *Store) learn(c *Credential, shown [32]byte, rehashed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.live[c.Device.Key()] {
		if x.ID == c.ID { // it did not end meanwhile
			s.known[c.ID] = shown
			if rehashed {
				s.fresh[c.ID] = c
				s.show(c)
			}
			return
		}
	}
}

func (c *Credential) rehashed(secret string) *Credential {
	n := *c
	n.hash, n.mosquitto = newHash(secret), newMosquittoHash(secret)
	return &n
}

// pass notes that a credential is used.
func (s *Store) pass(c *Credential, p Pass) Pass {
	s.mu.Lock()
	s.used[c.ID] = time.Now().UTC().Truncate(time.Millisecond)
	s.mu.Unlock()
	return p
}

// Known says whether there is a device of that id.
func (s *Store) Known(id devices.ID) bool {
	_, ok := s.o.Registry.Get(id)
	return ok
}
