package credentials

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: see the package's description for why it is low.
const (
	argonTime    = 1
	argonKiB     = 64
	argonThreads = 1
	argonBytes   = 32
	saltBytes    = 16
)

// newHash hashes a secret as $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func newHash(secret string) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(secret), salt, argonTime, argonKiB, argonThreads, argonBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonKiB, argonTime, argonThreads, b64(salt), b64(sum))
}

// matches says whether a secret has that hash, and whether it is of a form that
// newHash no longer makes.
func matches(hash, secret string) (ok, old bool) {
	if plain, is := strings.CutPrefix(hash, "$sha256$"); is {
		sum := sha256.Sum256([]byte(secret))
		return subtle.ConstantTimeCompare([]byte(plain), []byte(hex.EncodeToString(sum[:]))) == 1, true
	}
	var version, kib, time, threads int
	part := strings.Split(hash, "$")
	if len(part) != 6 || part[1] != "argon2id" {
		return false, false
	}
	if _, err := fmt.Sscanf(part[2]+" "+part[3], "v=%d m=%d,t=%d,p=%d", &version, &kib, &time, &threads); err != nil || version != argon2.Version {
		return false, false
	}
	salt, err := base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return false, false
	}
	sum, err := base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(sum) == 0 {
		return false, false
	}
	got := argon2.IDKey([]byte(secret), salt, uint32(time), uint32(kib), uint8(threads), uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1, kib != argonKiB || time != argonTime
}

// mosquittoIterations is of mosquitto's PBKDF2. At a reload mosquitto may try
// every connected client's password again, in its one thread; against 130 random
// bits more iterations would win nothing.
const mosquittoIterations = 1

// newMosquittoHash is a secret as mosquitto 2.0 reads it in a password file:
// PBKDF2 with SHA-512, $7$iterations$salt$hash. mosquitto reads no argon2id, and
// from that none can be made: both are made when the secret is.
func newMosquittoHash(secret string) string {
	salt := make([]byte, 12)
	rand.Read(salt)
	sum, err := pbkdf2.Key(sha512.New, secret, salt, mosquittoIterations, sha512.Size)
	if err != nil { // only for lengths that are not those above
		panic(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", mosquittoIterations, b64(salt), b64(sum))
}
