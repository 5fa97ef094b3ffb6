package credentials_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
	"haidang/devices/statedb"
)

// house is a store with two devices, a and b.
type house struct {
	*credentials.Store
	db       *sql.DB
	registry *devices.Registry
	trail    *audit.Log
	dir      string
}

// open opens a store in dir; shut says why a device may not sign in.
func open(t *testing.T, dir string, shut map[devices.ID]error) *house {
	t.Helper()
	return openWith(t, dir, credentials.Options{Allowed: func(id devices.ID) error { return shut[id] }})
}

func openWith(t *testing.T, dir string, o credentials.Options) *house {
	t.Helper()
	ctx := context.Background()
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r, err := devices.NewRegistry(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []devices.ID{"a", "B"} {
		if _, err := r.Discover(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	trail, err := audit.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	o.Registry, o.Audit, o.Log = r, trail, slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := credentials.Open(ctx, db, o)
	if err != nil {
		t.Fatal(err)
	}
	return &house{s, db, r, trail, dir}
}

func (h *house) issue(t *testing.T, id devices.ID, terms credentials.Terms) (*credentials.Credential, string) {
	t.Helper()
	c, secret, err := h.Issue(t.Context(), id, terms)
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

const here = "203.0.113.7:4711"

// lets says whether somebody is let in, and fails when the reason for no is
// another than that they are not.
func (h *house) lets(t *testing.T, username, secret string) bool {
	t.Helper()
	_, err := h.SignIn(username, secret, here)
	if err != nil && !errors.Is(err, credentials.ErrRefused) {
		t.Fatalf("%s: %v", username, err)
	}
	return err == nil
}

func TestDeviceSignsInWithItsSecretAlone(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	_, secret := h.issue(t, "a", credentials.Terms{Label: "  tủ 3 "})
	_, others := h.issue(t, "b", credentials.Terms{})
	for _, again := range []string{"first", "remembered"} {
		if p, err := h.SignIn("A", secret, here); err != nil || p.Device != "a" || p.As != "A" || !h.Valid(p) {
			t.Errorf("%s: %+v %v", again, p, err)
		}
	}
	for name, c := range map[string][2]string{"another's": {"a", others}, "nothing": {"a", ""}, "a part": {"a", secret[:20]}, "nobody": {"", secret}, "unknown": {"c", secret}, "no id": {"a/b", secret}} {
		if h.lets(t, c[0], c[1]) {
			t.Errorf("let in with %s", name)
		}
	}
	if _, _, err := h.Issue(t.Context(), "c", credentials.Terms{}); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("a credential for nobody: %v", err)
	}
	h = open(t, h.dir, nil)
	if !h.lets(t, "a", secret) || h.lets(t, "a", others) {
		t.Error("after a restart it is not as it was")
	}
}

func TestTwoAreValidAtATime(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	old, first := h.issue(t, "a", credentials.Terms{})
	c, second := h.issue(t, "a", credentials.Terms{})
	if old.Username() != "a" || c.Username() != "a~2" {
		t.Errorf("usernames %s and %s", old.Username(), c.Username())
	}
	if !h.lets(t, "a", first) || !h.lets(t, "a", second) || !h.lets(t, "a~2", second) || h.lets(t, "a~2", first) {
		t.Error("not both, each under its name")
	}
	if _, _, err := h.Issue(t.Context(), "a", credentials.Terms{}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("a third: %v", err)
	}
	pass, _ := h.SignIn("a", first, here)
	if _, err := h.Revoke(t.Context(), "a", old.ID); err != nil {
		t.Fatal(err)
	}
	if h.lets(t, "a", first) || h.Valid(pass) || !h.lets(t, "a", second) {
		t.Error("the wrong one was revoked")
	}
	if third, _ := h.issue(t, "a", credentials.Terms{}); third.Username() != "a" {
		t.Errorf("the third is %s", third.Username())
	}
	if _, err := h.Revoke(t.Context(), "b", c.ID); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("revoked another's: %v", err)
	}
	only, err := h.IssueSecret(t.Context(), "a")
	if err != nil || h.lets(t, "a", second) || !h.lets(t, "a", only) {
		t.Errorf("a new secret left the old: %v", err)
	}
	if _, err := h.IssueSecrets(t.Context(), []devices.ID{"a", "c"}); !errors.Is(err, devices.ErrNotFound) || !h.lets(t, "a", only) {
		t.Errorf("one of two is not there, and the other lost what it had: %v", err)
	}
	if _, err := h.IssueSecrets(t.Context(), []devices.ID{"a", "A"}); !errors.Is(err, devices.ErrConflict) {
		t.Errorf("one device twice: %v", err)
	}
	if all, err := h.List(t.Context(), "a"); err != nil || len(all) != 4 || all[0].State(time.Now()) != credentials.Active || all[3].State(time.Now()) != credentials.Revoked {
		t.Errorf("listed %+v %v", all, err)
	}
}

// A credential begins and ends by itself, and who watches hears it.
func TestValidityIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t.TempDir(), nil)
		var heard []string
		begin := time.Now()
		h.Watch(func(id devices.ID) {
			heard = append(heard, string(id)+" "+time.Since(begin).Round(time.Second).String())
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		_, secret := h.issue(t, "a", credentials.Terms{NotBefore: begin.Add(10 * time.Second), NotAfter: begin.Add(20 * time.Second)})
		var pass credentials.Pass
		for second := range 30 {
			p, err := h.SignIn("a", secret, here+string(rune('0'+second%10))) // each guess from elsewhere
			if want := second >= 10 && second < 20; (err == nil) != want || err == nil && !h.Valid(p) {
				t.Errorf("after %d s: %v", second, err)
			}
			if err == nil {
				pass = p
			}
			time.Sleep(time.Second)
		}
		cancel()
		<-done
		if h.Valid(pass) {
			t.Error("what it signed in with holds for ever")
		}
		if want := []string{"a 0s", "a 10s", "a 20s"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
		h.db.Close()
	})
}

func TestTermsThatCannotBe(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	now := time.Now()
	for field, terms := range map[string]credentials.Terms{"label": {Label: "a\nb"}, "not_after": {NotAfter: now.Add(-time.Hour)}, "not_before": {NotBefore: now.AddDate(9000, 0, 0)}} {
		_, _, err := h.Issue(t.Context(), "a", terms)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, _, err := h.Issue(t.Context(), "a", credentials.Terms{NotBefore: now.Add(2 * time.Hour), NotAfter: now.Add(time.Hour)}); err == nil {
		t.Error("it ends before it begins")
	}
}

func TestDeviceThatMayNotIsShutOut(t *testing.T) {
	shut := map[devices.ID]error{}
	h := open(t, t.TempDir(), shut)
	_, secret := h.issue(t, "a", credentials.Terms{})
	pass, err := h.SignIn("a", secret, here)
	if logins, _ := h.Logins(); err != nil || len(logins) != 1 {
		t.Fatalf("%v %v", logins, err)
	}
	shut["a"] = errors.New("suspended")
	if logins, _ := h.Logins(); h.lets(t, "a", secret) || h.Valid(pass) || len(logins) != 0 {
		t.Error("a suspended device is let in")
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	_, secret := h.issue(t, "a", credentials.Terms{})
	_, fresh := h.issue(t, "b", credentials.Terms{})
	if !h.lets(t, "a", secret) {
		t.Fatal("not let in")
	}
	for n := range 5 {
		if _, err := h.SignIn("a", "guess", here); !errors.Is(err, credentials.ErrRefused) {
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	if _, err := h.SignIn("a", "guess", here); !errors.Is(err, credentials.ErrTooMany) {
		t.Errorf("guessing goes on: %v", err)
	}
	remembered := h.Remembered()
	for i := range 20 {
		h.lets(t, "nobody-"+strings.Repeat("x", i), "guess")
	}
	if h.Remembered() != remembered {
		t.Error("made-up ids fill memory")
	}
	if !h.lets(t, "a", secret) {
		t.Error("who guesses shuts out the device that is known")
	}
	if !h.lets(t, "b", fresh) {
		t.Error("who guesses shuts out its neighbours")
	}
	if _, err := h.SignIn("a", "guess", "198.51.100.1:1"); !errors.Is(err, credentials.ErrRefused) {
		t.Errorf("who guesses shuts out others: %v", err)
	}
}

// Neither a secret nor its hash is in the audit log, and a secret is nowhere.
func TestSecretsAreKeptNowhere(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	c, secret := h.issue(t, "a", credentials.Terms{Label: "tủ 3"})
	if _, err := h.Revoke(t.Context(), "a", c.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := h.trail.List(t.Context(), audit.Filter{Kind: "device", ID: "a", Action: "credential"})
	if err != nil || len(entries) != 2 || entries[0].Action != "credential.revoke" || entries[1].Action != "credential.issue" {
		t.Fatalf("%+v %v", entries, err)
	}
	for _, e := range entries {
		if text := string(e.Before) + string(e.After); strings.Contains(text, "$") || !strings.Contains(text, "tủ 3") {
			t.Errorf("the log says %s", text)
		}
	}
	if _, err := h.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(h.dir, "state.db")); err != nil || strings.Contains(string(b), secret) || !strings.Contains(string(b), "$argon2id$") {
		t.Errorf("the file: %v", err)
	}
}

// Devices that were given a secret by the first version sign in as before, and
// their hashes become today's.
func TestSecretsOfTheFirstVersionGoOn(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := devices.NewRegistry(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Discover(ctx, "Gauge-1"); err != nil {
		t.Fatal(err)
	}
	const sum = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" // of 0123456789
	if _, err := db.Exec(`UPDATE device SET secret_hash=?`, sum); err != nil {
		t.Fatal(err)
	}
	db.Close()
	h := open(t, dir, nil)
	if _, missing := h.Logins(); missing != 1 {
		t.Errorf("%d missing at mosquitto", missing)
	}
	if h.lets(t, "gauge-1", "other") || !h.lets(t, "gauge-1", "0123456789") || !h.lets(t, "gauge-1", "0123456789") {
		t.Error("not as before")
	}
	if logins, missing := h.Logins(); missing != 0 || len(logins) != 1 || !strings.HasPrefix(logins[0].Hash, "$7$") {
		t.Errorf("after the first sign-in: %v, %d missing", logins, missing)
	}
	run, cancel := context.WithCancel(ctx)
	cancel()
	h.Run(run) // ends at once, and writes
	h = open(t, dir, nil)
	if _, missing := h.Logins(); missing != 0 || !h.lets(t, "gauge-1", "0123456789") {
		t.Error("after a restart: not as it was")
	}
	var left int
	if err := h.db.QueryRow(`SELECT (SELECT count(*) FROM credential WHERE hash LIKE '$sha%') + (SELECT count(*) FROM device WHERE secret_hash<>'')`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d old hashes are left: %v", left, err)
	}
	if all, err := h.List(ctx, "gauge-1"); err != nil || len(all) != 1 || all[0].UsedAt.IsZero() || all[0].Device != "Gauge-1" {
		t.Errorf("listed %+v %v", all, err)
	}
}

// A first sign-in after a start hashes, the next does not.
func BenchmarkSignIn(b *testing.B) {
	for name, restart := range map[string]bool{"first": true, "again": false} {
		b.Run(name, func(b *testing.B) {
			ctx, dir := context.Background(), b.TempDir()
			db, err := statedb.Open(filepath.Join(dir, "state.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			r, err := devices.NewRegistry(ctx, db)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.Discover(ctx, "a"); err != nil {
				b.Fatal(err)
			}
			trail, err := audit.Open(ctx, db)
			if err != nil {
				b.Fatal(err)
			}
			open := func() *credentials.Store {
				s, err := credentials.Open(ctx, db, credentials.Options{Registry: r, Audit: trail, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				return s
			}
			s := open()
			secret, err := s.IssueSecret(ctx, "a")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if restart {
					b.StopTimer()
					s = open()
					b.StartTimer()
				}
				if _, err := s.SignIn("a", secret, here); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
