package credentials

import (
	"cmp"
	"slices"
	"time"

	"haidang/devices"
)

// Login is a name and password hash as a mosquitto takes it.
type Login struct {
	Device   devices.ID
	Username string
	Hash     string
}

// Logins are what devices may sign in with now, at a mosquitto, by username.
// missing is how many more may sign in elsewhere: mosquitto's hash of a secret
// of an earlier version is made when it is first used there.
func (s *Store) Logins() (logins []Login, missing int) {
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, cs := range s.live {
		for _, c := range cs {
			switch {
			case c.State(now) != Active || s.allowed(c.Device) != nil:
			case c.mosquitto == "":
				missing++
			default:
				logins = append(logins, Login{c.Device, c.Username(), c.mosquitto})
			}
		}
	}
	slices.SortFunc(logins, func(a, b Login) int { return cmp.Compare(a.Username, b.Username) })
	return logins, missing
}
