package people

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

func TestSignIn(t *testing.T) {
	s, db := house(t, Options{})
	ctx := t.Context()
	add(t, s, "Lan")
	add(t, s, "off")
	off, _ := s.Get(ctx, "off")
	off.Disabled = true
	if _, err := s.Update(ctx, off); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]Attempt{"wrong password": {Account: "lan", Password: "x"}, "no password": {Account: "lan"}, "nobody": {Account: "x", Password: goodPassword}, "disabled": {Account: "off", Password: goodPassword}, "no name": {Password: goodPassword}} {
		if _, _, err := s.SignIn(ctx, at); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cookie, a, err := s.SignIn(ctx, Attempt{Account: " LAN ", Password: goodPassword, Address: "192.0.2.1", Agent: "Firefox"})
	if err != nil || a.Name != "Lan" {
		t.Fatal(a, err)
	}
	se, a, err := s.Session(ctx, cookie)
	if err != nil || a.Name != "Lan" || se.Address != "192.0.2.1" || se.Agent != "Firefox" || a.SignedInAt == nil {
		t.Errorf("%+v %+v %v", se, a, err)
	}
	var shown int
	if err := db.QueryRow(`SELECT count(*) FROM session WHERE hash = ? OR id = ?`, cookie, cookie).Scan(&shown); err != nil || shown != 0 {
		t.Errorf("the cookie itself is kept: %d, %v", shown, err)
	}
	for _, c := range []string{"", cookie[:20], cookie + "x"} {
		if _, _, err := s.Session(ctx, c); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("cookie %q: %v", c, err)
		}
	}
	// A hash that cost less is made anew.
	was := cost
	cost = argonCost{memoryKiB: 64, passes: 1, lanes: 1}
	cheap := hashPassword(goodPassword)
	cost = was
	if _, err := db.Exec(`UPDATE account SET password = ? WHERE key = 'lan'`, cheap); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SignIn(ctx, Attempt{Account: "lan", Password: goodPassword}); err != nil {
		t.Fatal(err)
	}
	if a, _ := s.Get(ctx, "lan"); a.password == cheap {
		t.Error("the cheap hash stays")
	}
}

func TestOtherSessionsEndWithThePassword(t *testing.T) {
	s, _ := house(t, Options{})
	ctx := t.Context()
	add(t, s, "lan")
	open := func(password string) (string, string) {
		t.Helper()
		c, _, err := s.SignIn(ctx, Attempt{Account: "lan", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		se, _, err := s.Session(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		return c, se.ID
	}
	mine, id := open(goodPassword)
	other, _ := open(goodPassword)
	if err := s.SetPassword(ctx, "lan", "wrong", "một câu dài khác nữa", "", id); err == nil {
		t.Error("changed without the old password")
	}
	if err := s.SetPassword(ctx, "lan", goodPassword, goodPassword, "", id); err == nil {
		t.Error("changed to the same")
	}
	if err := s.SetPassword(ctx, "lan", goodPassword, "một câu dài khác nữa", "", id); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Session(ctx, mine); err != nil {
		t.Errorf("one's own session: %v", err)
	}
	if _, _, err := s.Session(ctx, other); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("another one: %v", err)
	}
	third, _ := open("một câu dài khác nữa")
	ses, err := s.Sessions(ctx, "LAN")
	if err != nil || len(ses) != 2 {
		t.Errorf("%+v %v", ses, err)
	}
	if err := s.EndSession(ctx, ses[0].ID, "nam"); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("another's session: %v", err)
	}
	for _, se := range ses {
		if se.ID != id {
			if err := s.EndSession(ctx, se.ID, "lan"); err != nil {
				t.Error(err)
			}
		}
	}
	if _, _, err := s.Session(ctx, third); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("an ended session: %v", err)
	}
}

func TestSessionsExpireIdleAndInTheEnd(t *testing.T) {
	s, db := house(t, Options{Idle: time.Hour, Longest: 10 * time.Hour})
	ctx := t.Context()
	add(t, s, "lan")
	for name, c := range map[string]struct {
		idle, since time.Duration
		ends        bool
	}{"fresh": {0, 0, false}, "used of late": {59 * time.Minute, 9 * time.Hour, false}, "idle": {61 * time.Minute, 2 * time.Hour, true}, "long": {time.Minute, 11 * time.Hour, true}} {
		cookie, _, err := s.SignIn(ctx, Attempt{Account: "lan", Password: goodPassword})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`UPDATE session SET seen_at = ?, created_at = ? WHERE hash = ?`, now().Add(-c.idle).UnixMilli(), now().Add(-c.since).UnixMilli(), digest(cookie)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Session(ctx, cookie); errors.Is(err, devices.ErrNotFound) != c.ends {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ses, err := s.Sessions(ctx, ""); err != nil || len(ses) != 2 {
		t.Errorf("%d stand, %v", len(ses), err)
	}
	if err := s.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM session`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d are kept, %v", n, err)
	}
}

func TestSecondFactor(t *testing.T) {
	s, _ := house(t, Options{})
	ctx := t.Context()
	add(t, s, "lan")
	offer := s.NewFactor("lan")
	begun := time.Now().Unix() / totpStep
	code := func(shift int64) string { // of begun, however long the test takes
		c, err := totpCode(offer.Secret, begun+shift)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, at := range map[string][3]string{"wrong password": {"x", offer.Secret, code(0)}, "wrong code": {goodPassword, offer.Secret, "000000"}, "a secret of one's own": {goodPassword, "AAAA", code(0)}} {
		if _, err := s.EnrolFactor(ctx, "lan", at[0], at[1], at[2], ""); err == nil {
			t.Errorf("%s: enrolled", name)
		}
	}
	recovery, err := s.EnrolFactor(ctx, "lan", goodPassword, offer.Secret, code(0), "")
	if err != nil || len(recovery) != recoveryCodes {
		t.Fatal(recovery, err)
	}
	in := func(code string) error {
		_, _, err := s.SignIn(ctx, Attempt{Account: "lan", Password: goodPassword, Code: code, Address: fmt.Sprint(time.Now().UnixNano())})
		return err
	}
	used := code(1)
	for _, c := range []struct {
		name, code string
		want       error
	}{
		{"no code", "", ErrCodeNeeded}, {"the code of the enrolment again", code(0), ErrWrong}, {"a wrong code", "000000", ErrWrong}, {"a code", used, nil}, {"the same again", used, ErrWrong},
		{"a recovery code", recovery[3], nil}, {"the same again", recovery[3], ErrWrong}, {"another, in small letters", " " + recovery[4][:4] + recovery[4][4:], nil},
	} {
		if err := in(c.code); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := s.DropFactor(ctx, "lan", "x", ""); err == nil {
		t.Error("dropped without the password")
	}
	if err := s.DropFactor(ctx, "lan", goodPassword, ""); err != nil {
		t.Fatal(err)
	}
	if err := in(""); err != nil {
		t.Errorf("without a second factor: %v", err)
	}
}

func TestGuessingHasToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard()
		wrong := func(n int, account, address string) {
			for range n {
				g.wrong(account, address, time.Now())
			}
		}
		locked := func(account, address string) bool { return g.locked(account, address, time.Now()) != nil }
		wrong(4, "lan", "a")
		if locked("lan", "a") {
			t.Error("after four attempts")
		}
		wrong(1, "lan", "a")
		if !locked("lan", "a") || locked("lan", "b") || locked("nam", "a") {
			t.Error("the fifth locks this account from this address, and nothing else")
		}
		time.Sleep(firstWait + time.Second)
		if locked("lan", "a") {
			t.Error("the wait does not end")
		}
		wrong(1, "lan", "a")
		time.Sleep(firstWait + time.Second)
		if !locked("lan", "a") {
			t.Error("the second wait is no longer than the first")
		}
		wrong(20, "lan", "a")
		time.Sleep(longestWait - time.Second)
		if !locked("lan", "a") {
			t.Error("not the longest wait")
		}
		time.Sleep(2 * time.Second)
		if locked("lan", "a") {
			t.Error("longer than the longest wait")
		}
		// One address that tries many names; one name tried from many places.
		for i := range freeAddress {
			wrong(1, fmt.Sprint("n", i), "spray")
		}
		if !locked("somebody", "spray") {
			t.Error("an address that tries many names goes on")
		}
		for i := range freeAccount {
			wrong(1, "target", fmt.Sprint("bot", i))
		}
		if !locked("target", "elsewhere") {
			t.Error("a name tried from many places goes on")
		}
		// With time it is forgotten.
		time.Sleep(24 * time.Hour)
		wrong(1, "target", "elsewhere")
		wrong(1, "lan", "a")
		if locked("target", "elsewhere") || locked("lan", "a") {
			t.Error("a day later it is not forgotten")
		}
		for i := range mostKeys {
			wrong(1, fmt.Sprint("made-up", i), fmt.Sprint(i))
		}
		time.Sleep(2 * longestWait)
		wrong(1, "x", "y")
		if len(g.by) > mostKeys {
			t.Errorf("made-up names fill memory: %d", len(g.by))
		}
	})
}

func TestAccounts(t *testing.T) {
	s, db := house(t, Options{})
	ctx := audit.As(t.Context(), audit.Actor{Who: "root", Role: "admin"})
	add(t, s, "boss", Grant{Role: "admin"})
	for name, a := range map[string]Account{"taken": {Name: "BOSS", Grants: []Grant{{Role: "viewer"}}}, "no role": {Name: "x1"}, "an unknown role": {Name: "x1", Grants: []Grant{{Role: "king"}}}, "accents": {Name: "ông", Grants: []Grant{{Role: "viewer"}}}, "one letter": {Name: "x", Grants: []Grant{{Role: "viewer"}}}, "an empty category": {Name: "x1", Grants: []Grant{{Role: "viewer", Categories: []string{""}}}}} {
		if _, _, err := s.Create(ctx, a); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	boss, _ := s.Get(ctx, "boss")
	for name, change := range map[string]func(*Account){"its right": func(a *Account) { a.Grants = []Grant{{Role: "viewer"}} }, "a limit": func(a *Account) { a.Grants = []Grant{{Role: "admin", Area: "x"}} }, "disabled": func(a *Account) { a.Disabled = true }} {
		a := boss
		change(&a)
		if _, err := s.Update(ctx, a); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("the last administrator loses %s: %v", name, err)
		}
	}
	add(t, s, "second", Grant{Role: "admin"})
	boss.Disabled = true
	if _, err := s.Update(ctx, boss); err != nil {
		t.Errorf("with another one: %v", err)
	}
	for i := range 5 {
		add(t, s, fmt.Sprint("p", i))
	}
	var names []string
	for after := ""; ; {
		as, next, err := s.List(ctx, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range as {
			names = append(names, a.Name)
		}
		if after = next; next == "" {
			break
		}
	}
	if fmt.Sprint(names) != "[boss p0 p1 p2 p3 p4 second]" {
		t.Error(names)
	}
	if n, err := s.Count(ctx); n != 6 || err != nil {
		t.Error(n, err)
	}
	// Neither password nor hash stands in the audit log.
	first, err := s.Reset(ctx, "p0")
	if err != nil {
		t.Fatal(err)
	}
	var bad int
	if err := db.QueryRow(`SELECT count(*) FROM audit WHERE before || after || why LIKE '%argon2%' OR before || after || why LIKE ?`, "%"+first+"%").Scan(&bad); err != nil || bad > 0 {
		t.Errorf("%d entries hold a secret, %v", bad, err)
	}
	var who string
	if err := db.QueryRow(`SELECT who FROM audit WHERE action = 'account.reset'`).Scan(&who); err != nil || who != "root" {
		t.Errorf("by %q, %v", who, err)
	}
}
