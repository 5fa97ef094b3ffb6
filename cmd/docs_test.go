package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameWhatIsThere holds the documents against the tree: each path in
// code marks exists, and so does each test that is named.
func TestDocsNameWhatIsThere(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "grep", "-hoE", `^func Test[A-Za-z0-9_]+`, "--", "*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, line := range strings.Fields(string(out)) {
		tests[line] = true
	}
	path := regexp.MustCompile("`([a-z][a-zA-Z0-9_.-]*(?:/[a-zA-Z0-9_.-]+)+)`")
	name := regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]+\b`)
	for _, doc := range []string{"ARCHITECTURE.md", "SECURITY.md", "README.md", "deploy/README.md", "CHANGELOG.md"} {
		b, err := os.ReadFile(filepath.Join("..", doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range path.FindAllStringSubmatch(string(b), -1) {
			if strings.HasPrefix(m[1], "ioc/") || strings.Contains(m[1], "...") {
				continue // a topic
			}
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				if _, err := os.Stat(filepath.Join("..", filepath.Dir(doc), m[1])); err != nil {
					t.Errorf("%s names %s, which is not there", doc, m[1])
				}
			}
		}
		for _, n := range name.FindAllString(string(b), -1) {
			if !tests[n] {
				t.Errorf("%s names the test %s, which is not there", doc, n)
			}
		}
	}
}
