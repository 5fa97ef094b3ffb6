package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// cost is what a new hash costs to make: OWASP's choice for argon2id (19 MiB,
// two passes). A hash says what it cost, so this can rise: one that cost less
// is made anew when its owner signs in.
var cost = argonCost{memoryKiB: 19 * 1024, passes: 2, lanes: 1}

type argonCost struct {
	memoryKiB, passes uint32
	lanes             uint8
}

// atOnce bounds the memory of signing in: so many hashes are made at a time,
// the others wait.
var atOnce = make(chan struct{}, 2)

func (c argonCost) sum(password string, salt []byte, size uint32) []byte {
	atOnce <- struct{}{}
	defer func() { <-atOnce }()
	// One letter can be typed as several code points.
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, c.passes, c.memoryKiB, c.lanes, size)
}

// hashPassword returns the PHC string of argon2id.
func hashPassword(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.memoryKiB, cost.passes, cost.lanes, b64(salt), b64(cost.sum(password, salt, 32)))
}

// checkPassword says whether password is that of hash, and whether the hash
// cost other than one would today. An empty or broken hash is nobody's, and
// takes as long.
func checkPassword(hash, password string) (ok, stale bool) {
	c, salt, sum, err := parseHash(hash)
	if err != nil {
		c, salt, sum = cost, make([]byte, 16), make([]byte, 32)
	}
	same := subtle.ConstantTimeCompare(sum, c.sum(password, salt, uint32(len(sum)))) == 1
	return same && err == nil, c != cost
}

func parseHash(hash string) (c argonCost, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	var version int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, fmt.Errorf("this is no argon2id hash")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("argon2 of version %.10s is not known", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memoryKiB, &c.passes, &c.lanes); err != nil || c.passes < 1 || c.lanes < 1 {
		return c, nil, nil, fmt.Errorf("the cost %.40q of a hash is not understood", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err == nil && len(sum) < 16 {
		err = fmt.Errorf("a hash of %d bytes is too short", len(sum))
	}
	return c, salt, sum, err
}
