package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The second factor is RFC 6238 as all apps know it: SHA-1, six digits, steps
// of 30 seconds.
const totpStep = 30

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTPSecret makes a secret of 160 bits, as RFC 4226 §4 asks.
func newTOTPSecret() string {
	b := make([]byte, 20)
	rand.Read(b)
	return base32Plain.EncodeToString(b)
}

// totpCode is the code of a step (RFC 4226 §5.3).
func totpCode(secret string, step int64) (string, error) {
	key, err := base32Plain.DecodeString(secret)
	if err != nil {
		return "", fmt.Errorf("read secret of a second factor: %w", err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000), nil
}

// checkTOTP finds the step of a code: the one at t or its neighbours, for a
// phone's clock is not exact, and only one after the newest that was used: a
// code holds once.
func checkTOTP(secret, code string, t time.Time, used int64) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	at := t.Unix() / totpStep
	for _, s := range []int64{at - 1, at, at + 1} {
		want, err := totpCode(secret, s)
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// totpAddress is what an app reads from a QR code.
func totpAddress(account, secret string) string {
	q := url.Values{"secret": {secret}, "issuer": {"Hải Đăng"}}
	return "otpauth://totp/" + url.PathEscape("Hải Đăng:"+account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
