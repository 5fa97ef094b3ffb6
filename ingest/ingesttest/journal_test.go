package ingesttest_test

import (
	"testing"

	"haidang/ingest"
	"haidang/ingest/ingesttest"
	"haidang/ingest/journal"
)

func TestJournalAnswersHistory(t *testing.T) {
	ingesttest.RunHistoryTests(t, func(t *testing.T, readings []ingest.Reading) ingest.History {
		j, err := journal.Open(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.Close() })
		entries := make([]ingest.Entry, len(readings))
		for i := range readings {
			entries[i].Reading = &readings[i]
		}
		if _, err := j.Append(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
		return j
	})
}
