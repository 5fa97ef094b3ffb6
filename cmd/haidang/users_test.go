package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"haidang/devices/audit"
	"haidang/devices/statedb"
)

// command runs a line of the program as somebody types it.
func command(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var c cli
	p, err := kong.New(&c, kong.Vars{"formats": ""})
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.Parse(args)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	switch name, _, _ := strings.Cut(k.Command(), " "); name {
	case "users":
		err = c.Users.run(t.Context(), k.Command(), &b)
	case "retention":
		err = c.Retention.run(t.Context(), &b)
	case "verify":
		err = c.Verify.run(t.Context(), &b)
	case "ca":
		err = c.CA.run(t.Context(), k.Command(), &b, slog.New(slog.DiscardHandler))
	default:
		t.Fatalf("%s is not of this test", name)
	}
	return b.String(), err
}

// From nothing to an administrator who is signed in, and out again.
func TestFirstStart(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "haidang.toml")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve := &serveCmd{Config: conf, Data: filepath.Join(dir, "data"), HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0"}
	err := serve.run(t.Context(), io.Discard, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "haidang users add --admin") {
		t.Fatalf("without anybody: %v", err)
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := command(t, append(args, "--data", serve.Data)...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	password := func(out string) string {
		t.Helper()
		for l := range strings.Lines(out) {
			if p, ok := strings.CutPrefix(l, "Password: "); ok {
				return strings.TrimSpace(p)
			}
		}
		t.Fatalf("no password in %q", out)
		return ""
	}
	first := password(run("users", "add", "--admin", "quan-tri"))
	s, _ := start(t, serve.run)
	signIn := func(name, password string) int {
		return s.call("POST", "/api/v1/session", map[string]string{"account": name, "password": password}, nil)
	}
	if got := signIn("Quan-Tri", first); got != 200 {
		t.Errorf("with the first password: %d", got)
	}
	// Beside the running program.
	second := password(run("users", "add", "lan", "--role", "officer@dong-hoi", "--role", "viewer"))
	if got := signIn("lan", second); got != 200 {
		t.Errorf("an account made meanwhile: %d", got)
	}
	if out := run("users", "roles", "lan", "auditor"); !strings.Contains(out, "auditor") || strings.Contains(out, "officer") {
		t.Errorf("roles: %q", out)
	}
	run("users", "disable", "lan")
	if got := signIn("lan", second); got != 401 {
		t.Errorf("disabled: %d", got)
	}
	run("users", "enable", "lan")
	third := password(run("users", "reset", "lan"))
	if old, fresh := signIn("lan", second), signIn("lan", third); old != 401 || fresh != 200 {
		t.Errorf("after the reset the old password is %d, the new one %d", old, fresh)
	}
	if out := run("users", "list"); !strings.Contains(out, "quan-tri") || !strings.Contains(out, "must change") {
		t.Errorf("list: %q", out)
	}
	for name, args := range map[string][]string{"the last administrator": {"users", "disable", "quan-tri"}, "no role": {"users", "add", "x1"}, "an unknown role": {"users", "add", "x1", "--role", "king"}, "a taken name": {"users", "add", "LAN", "--admin"}, "a name that is none": {"users", "add", "ông A", "--admin"}, "nobody": {"users", "reset", "nobody"}} {
		if out, err := command(t, append(args, "--data", serve.Data)...); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
	if _, err := command(t, "users", "list", "--data", t.TempDir()); err == nil || !strings.Contains(err.Error(), "no data") {
		t.Errorf("an empty folder: %v", err)
	}
}

// The end of the audit log was noted when the program stopped: cut off, it is
// found, and so is a row that was changed; the next start does not hide it.
func TestVerifyFindsWhatWasTakenFromTheAuditLog(t *testing.T) {
	s, stop := demo(t, nil)
	if got := s.call("POST", "/api/v1/devices", map[string]string{"id": "d1", "type": "air_station"}, nil); got != 201 {
		t.Fatal(got)
	}
	s.call("POST", "/api/v1/devices/d1/secret", nil, nil)
	dir := s.Data
	if out, err := command(t, "verify", "--data", dir); err != nil || !strings.Contains(out, "holds") {
		t.Fatalf("at work: %q %v", out, err)
	}
	stop()
	if out, err := command(t, "verify", "--data", dir); err != nil || !strings.Contains(out, "noted before, is among them") {
		t.Fatalf("at rest: %q %v", out, err)
	}
	tamper(t, dir, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
	if _, err := command(t, "verify", "--data", dir); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("a cut end: %v", err)
	}
	noted, err := os.ReadFile(audit.HeadPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, stop = demo(t, func(d *demoCmd) { d.Data = dir })
	stop()
	if again, _ := os.ReadFile(audit.HeadPath(dir)); string(again) != string(noted) {
		t.Error("a start hid the cut end")
	}
	tamper(t, dir, "UPDATE audit SET who = 'x' WHERE seq = 1")
	if _, err := command(t, "verify", "--data", dir); err == nil || !strings.Contains(err.Error(), "entry 1 was changed") {
		t.Errorf("a changed row: %v", err)
	}
}

func tamper(t *testing.T, dir, sql string) {
	t.Helper()
	db, err := statedb.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{"DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete", sql} {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}
