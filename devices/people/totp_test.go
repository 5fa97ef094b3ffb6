package people

import (
	"net/url"
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, for SHA-1; its last six digits.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	secret := base32Plain.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got, err := totpCode(secret, at/totpStep); err != nil || got != want {
			t.Errorf("at %d: %s %v, want %s", at, got, err, want)
		}
	}
}

func TestACodeHoldsOnceAndNotForLong(t *testing.T) {
	secret := newTOTPSecret()
	t0 := time.Unix(1_800_000_000, 0)
	step := t0.Unix() / totpStep
	code, _ := totpCode(secret, step)
	for name, c := range map[string]struct {
		code string
		at   time.Time
		used int64
		want bool
	}{
		"now": {code, t0, 0, true}, "a clock 30 s behind": {code, t0.Add(30 * time.Second), 0, true}, "ahead": {code, t0.Add(-30 * time.Second), 0, true},
		"a minute old": {code, t0.Add(61 * time.Second), 0, false}, "used": {code, t0, step, false}, "older than one used": {code, t0, step + 1, false},
		"with a space": {code[:3] + " " + code[3:], t0, 0, true}, "empty": {"", t0, 0, false}, "truncated": {code[:5], t0, 0, false},
	} {
		if got, ok := checkTOTP(secret, c.code, c.at, c.used); ok != c.want || ok && got != step {
			t.Errorf("%s: %v, step %d", name, ok, got-step)
		}
	}
	u, err := url.Parse(totpAddress("lan@x", secret))
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Hải Đăng:lan@x" || u.Query().Get("secret") != secret || u.Query().Get("issuer") != "Hải Đăng" {
		t.Errorf("%v %v", u, err)
	}
}
