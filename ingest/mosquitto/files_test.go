package mosquitto

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"haidang/devices/credentials"
)

func lines(t *testing.T, path, prefix string) (ls []string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, prefix) {
			ls = append(ls, strings.TrimSpace(l))
		}
	}
	return ls
}

// What devices may do is the same by the shipped file, for those who keep users
// by hand, and by the one that is written.
func TestRightsAreThoseOfTheShippedFile(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: dir, Username: "haidang-ingest", Password: "p", Logins: func() ([]credentials.Login, int) { return nil, 0 }}
	if _, _, err := Write(o); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"pattern", "topic readwrite", "topic read $SYS"} {
		want := lines(t, "../../deploy/mosquitto/haidang.acl", prefix)
		if got := lines(t, filepath.Join(dir, ACLFile), prefix); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("written %q, shipped %q", got, want)
		}
	}
}

func TestFilesHoldWhoMaySignIn(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{LocalPasswordFile: "siren:$7$x\n", LocalACLFile: "user siren\ntopic read ioc/v1/live/#"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Dir: dir, Username: "haidang-ingest", Filters: []string{"plant/+/data"}, Grants: map[string][]string{"gw": {"plant/+/data"}, "away": {"plant/x"}},
		Logins: func() ([]credentials.Login, int) {
			return []credentials.Login{{Device: "GW", Username: "GW", Hash: "$7$1$a$b"}, {Device: "GW", Username: "GW~2", Hash: "$7$1$c$d"}, {Device: "x", Username: "x", Hash: "$7$1$e$f"},
				// They would get what these may do.
				{Device: "siren", Username: "siren", Hash: "$7$1$g$h"}, {Device: "haidang-ingest", Username: "haidang-ingest", Hash: "$7$1$i$j"}}, 2
		}}
	for range 2 {
		if n, missing, err := Write(o); n != 3 || missing != 4 || err != nil {
			t.Fatalf("%d, %d: %v", n, missing, err)
		}
	}
	if got, want := lines(t, filepath.Join(dir, PasswordFile), ""), []string{"GW:$7$1$a$b", "GW~2:$7$1$c$d", "x:$7$1$e$f", "", "siren:$7$x"}; !slices.Equal(got, want) {
		t.Errorf("passwords are %q, want %q", got, want)
	}
	users := lines(t, filepath.Join(dir, ACLFile), "user")
	if want := []string{"user haidang-ingest", "user GW", "user GW~2", "user siren"}; !slices.Equal(users, want) {
		t.Errorf("users are %q, want %q", users, want)
	}
	if own := lines(t, filepath.Join(dir, ACLFile), "topic write ioc/v1/devices/GW/"); len(own) != 5 {
		t.Errorf("the second login may write %q", own)
	}
	if granted := lines(t, filepath.Join(dir, ACLFile), "topic write plant"); len(granted) != 2 {
		t.Errorf("granted %q", granted)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("%d files are left: %v", len(entries), err)
	}
	for _, name := range []string{PasswordFile, ACLFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	o.Dir = filepath.Join(dir, ACLFile, "nowhere")
	if _, _, err := Write(o); err == nil {
		t.Error("wrote into a folder that cannot be")
	}
}
