package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The built pages are committed; they must be those of the sources beside them.
func TestBuiltPagesAreNotStale(t *testing.T) {
	want, err := SourcesHash("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../dist/SOURCES.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != want {
		t.Error("web/ui/dist was built from other sources: run make ui and commit the result")
	}
}

func TestBothLanguagesHaveAllWords(t *testing.T) {
	words := map[string]map[string]string{}
	for _, lang := range []string{"vi", "en"} {
		b, err := os.ReadFile("../src/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		words[lang] = m
	}
	for k, v := range words["vi"] {
		e, ok := words["en"][k]
		if !ok || v == "" || e == "" {
			t.Errorf("%s: vi %q, en %q", k, v, e)
		}
		if strings.Count(v, "{") != strings.Count(e, "{") {
			t.Errorf("%s: the values in %q and %q differ", k, v, e)
		}
	}
	if len(words["vi"]) != len(words["en"]) {
		t.Errorf("%d words in Vietnamese, %d in English", len(words["vi"]), len(words["en"]))
	}
}
