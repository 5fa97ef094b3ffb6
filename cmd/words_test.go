package cmd

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every code of a refusal has its words in both languages. Codes are given as
// literals, to functions that make a refusal or in one.
func TestCodesOfRefusalsHaveWords(t *testing.T) {
	code := regexp.MustCompile(`(?:\b(?:refuse|Refuse|invalid)\(|Refusal\{\w+, |Code: )"([a-z_]+)"`)
	codes := map[string]string{}
	err := filepath.WalkDir("../ingest", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/reports/") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range code.FindAllSubmatch(text, -1) {
			codes[string(m[1])] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(codes) < 50 {
		t.Fatalf("only %d codes were found: the test looks for them wrongly", len(codes))
	}
	for _, lang := range []string{"vi", "en"} {
		text, err := os.ReadFile("../web/ui/src/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := json.Unmarshal(text, &words); err != nil {
			t.Fatal(err)
		}
		for code, path := range codes {
			if words["dead.code."+code] == "" {
				t.Errorf("%s.json has no words for %s of %s", lang, code, path)
			}
		}
	}
}
