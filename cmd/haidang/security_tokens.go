package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// tokens looks at the credentials that stand in the configuration.
func (s *survey) tokens() {
	all := map[string]string{} // hash → where, and the name
	for i, t := range s.cfg.Tokens {
		where, sum := fmt.Sprintf("tokens[%d]", i), strings.ToLower(t.SHA256)
		if strings.Trim(sum, "0") == "" {
			s.find(finding{Severity: medium, ID: "token-example", Where: where, What: fmt.Sprintf("The token %q is the example's: no secret has that hash.", t.Name),
				Why: "Whoever finds that it does not open may put a short one in its place.", Do: "haidang token NAME --role ROLE makes one; or take it out."})
		} else if first, twice := all[sum]; twice {
			s.find(finding{Severity: high, ID: "token-shared", Where: where, What: fmt.Sprintf("%q and %q have the same secret.", first, t.Name),
				Why: "It is not known which of the two did something, and ending one needs ending both.", Do: "Make one for each with haidang token."})
		}
		all[sum] = t.Name
		if t.Role == "admin" {
			s.find(finding{Severity: high, ID: "token-admin", Where: where, What: fmt.Sprintf("The token %q is an administrator's.", t.Name),
				Why: "It never expires, has no second factor, and is nobody in particular.", Do: "Make the administrator an account (haidang users add --admin NAME), and take the token out."})
		}
	}
	for sum, secret := range guess(all) {
		for i, t := range s.cfg.Tokens {
			if strings.EqualFold(t.SHA256, sum) {
				s.find(finding{Severity: critical, ID: "token-guessed", Where: fmt.Sprintf("tokens[%d]", i), What: fmt.Sprintf("The secret of the token %q was guessed in a moment; it has %d characters.", t.Name, len(secret)),
					Why: "Whoever tries does so too.", Do: "haidang token NAME --role ROLE makes one that cannot be guessed."})
			}
		}
	}
}

// commonSecrets are what people write down first.
var commonSecrets = strings.Fields(`password password1 passw0rd matkhau matkhau123 secret secret123 token changeme change-me letmein admin admin123 administrator operator viewer crew officer integrator auditor
	shift_lead root test test123 demo example haidang haidang123 hai-dang ioc ioc123 quangbinh quangtri vietnam welcome welcome1 qwerty qwerty123 abc123 abcd1234 iloveyou 12345678 123456789 1234567890 0123456789 11111111`)

// guess tries what somebody would try first against hashes: common words, what
// the tokens are called, numbers of up to six digits, and all of up to four small
// letters and digits. It returns what it found, by hash.
func guess(hashes map[string]string) map[string]string {
	want, found := map[[sha256.Size]byte]string{}, map[string]string{}
	tries := append([]string{""}, commonSecrets...)
	for h, name := range hashes {
		var sum [sha256.Size]byte
		if n, err := hex.Decode(sum[:], []byte(h)); err == nil && n == len(sum) {
			want[sum] = h
		}
		tries = append(tries, name, strings.ToLower(name), strings.ReplaceAll(strings.ToLower(name), " ", ""))
	}
	if len(want) == 0 {
		return found
	}
	try := func(secret []byte) {
		if h, is := want[sha256.Sum256(secret)]; is {
			found[h] = string(secret)
		}
	}
	for _, t := range tries {
		try([]byte(t))
	}
	every(try, "0123456789", 6)
	every(try, "abcdefghijklmnopqrstuvwxyz0123456789", 4)
	return found
}

// every calls fn with each text of 1 to longest letters; fn must not keep it.
func every(fn func([]byte), letters string, longest int) {
	text := make([]byte, 0, longest)
	var grow func()
	grow = func() {
		if len(text) > 0 {
			fn(text)
		}
		if len(text) == longest {
			return
		}
		for i := range len(letters) {
			text = append(text, letters[i])
			grow()
			text = text[:len(text)-1]
		}
	}
	grow()
}
