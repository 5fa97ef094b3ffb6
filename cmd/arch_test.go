package cmd

import (
	"os/exec"
	"strings"
	"testing"
)

// rooms says which rooms each may import: the picture of ARCHITECTURE.md.
var rooms = map[string]string{
	"devices":      "devices",
	"ingest":       "devices ingest",
	"alerts":       "devices ingest alerts",
	"web":          "devices ingest alerts web",
	"firmware-sim": "firmware-sim",                     // it speaks only the published wire formats
	"deploy":       "devices ingest alerts web deploy", // its measurements and long tests look into the rooms
	"cmd":          "devices ingest alerts web firmware-sim cmd",
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "haidang/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	room := func(pkg string) string {
		name, _, _ := strings.Cut(strings.TrimPrefix(pkg, "haidang/"), "/")
		return name
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		pkgs := strings.Fields(line)
		for _, imp := range pkgs[1:] {
			if !strings.HasPrefix(imp, "haidang/") {
				continue
			}
			n++
			if !strings.Contains(" "+rooms[room(pkgs[0])]+" ", " "+room(imp)+" ") {
				t.Errorf("%s must not import %s", pkgs[0], imp)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d imports seen: is this test looking at the right module?", n)
	}
}
