package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"haidang/ingest"
	"haidang/ingest/deadletters"
)

// line is a message of so many bytes that no decoder takes.
func line(n int) string { return strings.Repeat("x", n) }

// dead makes dead letters of the lines, the first of which gets the id 1.
func (h *house) dead(lines ...string) {
	h.t.Helper()
	for _, l := range lines {
		if res := h.call("operator", "POST", "/api/v1/formats/plain", l, nil); res.StatusCode != 422 {
			h.t.Fatalf("a line that cannot be read: %d", res.StatusCode)
		}
	}
}

// page is the ids of a list of dead letters.
func (h *house) page(query string) string {
	h.t.Helper()
	var got struct{ Items []deadLetterView }
	if res := h.call("operator", "GET", "/api/v1/dead-letters"+query, "", &got); res.StatusCode != 200 {
		h.t.Fatalf("%s: %d", query, res.StatusCode)
	}
	ids := []int64{}
	for _, l := range got.Items {
		ids = append(ids, l.ID)
	}
	return fmt.Sprint(ids)
}

// A list carries the heads of payloads and says where more is; one letter, its
// payload and the export carry all.
func TestListOfDeadLettersIsCutAndSaysSo(t *testing.T) {
	h := newHouse(t, withFormats)
	long := line(1 << 20)
	h.dead(long, "short")
	var got struct{ Items []deadLetterView }
	h.call("operator", "GET", "/api/v1/dead-letters", "", &got)
	if l := got.Items[0]; string(l.Payload) != "short" || l.Cut || l.Kept != 5 || l.Size != 5 {
		t.Errorf("the short one is listed as %+v", l)
	}
	if l := got.Items[1]; string(l.Payload) != long[:deadletters.HeadBytes] || !l.Cut || l.Kept != len(long) || l.Size != len(long) {
		t.Errorf("the long one is listed with %d bytes, cut %t, kept %d, size %d", len(l.Payload), l.Cut, l.Kept, l.Size)
	}
	var l deadLetterView
	h.call("operator", "GET", "/api/v1/dead-letters/1", "", &l)
	if string(l.Payload) != long || l.Cut || l.Size != len(long) {
		t.Errorf("by its id it has %d bytes, cut %t, size %d", len(l.Payload), l.Cut, l.Size)
	}
	export := json.NewDecoder(bytes.NewReader(h.bytes("/api/v1/dead-letters?export=ndjson", "dead-letters.ndjson")))
	for _, want := range []string{"short", long} {
		l = deadLetterView{}
		if err := export.Decode(&l); err != nil || string(l.Payload) != want || l.Cut {
			t.Errorf("exported with %d bytes of %d, cut %t, %v", len(l.Payload), len(want), l.Cut, err)
		}
	}
	if _, err := export.Token(); err != io.EOF {
		t.Errorf("after the last letter: %v", err)
	}
	if got := h.bytes("/api/v1/dead-letters/1/payload", "dead-letter-1.bin"); string(got) != long {
		t.Errorf("the payload has %d bytes", len(got))
	}
}

// A message without a payload is listed as that, not as null, which a reader of
// base64 refuses.
func TestEmptyDeadLetterHasAPayload(t *testing.T) {
	h := newHouse(t, withFormats)
	if err := h.srv.DeadLetters.Add(t.Context(), []ingest.DeadLetter{{Stage: "decode", Status: "new"}}); err != nil {
		t.Fatal(err)
	}
	var got struct{ Items []struct{ Payload *string } }
	h.call("operator", "GET", "/api/v1/dead-letters", "", &got)
	if p := got.Items[0].Payload; p == nil || *p != "" {
		t.Errorf("its payload is %v", p)
	}
}

// bytes is a download: a browser must not take it for a page, and its name is
// not the sender's.
func (h *house) bytes(path, name string) []byte {
	h.t.Helper()
	rq, err := http.NewRequestWithContext(h.t.Context(), "GET", h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	rq.Header.Set("Authorization", "Bearer operator")
	res, err := http.DefaultClient.Do(rq)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Disposition") != `attachment; filename="`+name+`"` || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		h.t.Errorf("%s: %d %v, %v", path, res.StatusCode, res.Header, err)
	}
	return b
}

// What is misspelt, broken or impossible is said, and changes nothing.
func TestDeadLettersRefuseWhatTheyDoNotKnow(t *testing.T) {
	h := newHouse(t, withFormats)
	h.dead("a", "b")
	h.call("operator", "POST", "/api/v1/dead-letters/discard?to=2000-01-01T00:00:00Z", "", nil)
	const at = "/api/v1/dead-letters"
	for _, c := range []struct {
		path   string
		status int
		says   string // in the problem's detail
	}{
		{"?devise=x", 422, "devise: it is unknown here; known are stage, device, code"},
		{"?device=", 422, "device: it is empty"},
		{"?device=a&device=b", 422, "device: it is given more than once"},
		{"?device=a;b", 400, "the query cannot be read"},
		{"?stage=decod", 422, `stage: "decod" is unknown; known are topic, identify, decode`},
		{"?status=old", 422, `status: "old" is unknown`},
		{"?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "from: it must be before to"},
		{"?discarded_at=now", 422, "discarded_at:"},
		{"?export=csv", 422, `export: "csv" is unknown; known is ndjson`},
		{"?export=ndjson&limit=5", 422, "limit: it is unknown here"},
		{"?export=ndjson&devise=x", 422, "devise: it is unknown here"},
		{"/discard?devise=x", 422, "devise: it is unknown here"},
		{"/discard?device=", 422, "device: it is empty"},
		{"/discard?device=%zz", 400, "the query cannot be read"},
		{"/discard?limit=1", 422, "limit: it is unknown here"},
		{"/discard?cursor=1", 422, "cursor: it is unknown here"},
		{"/discard?status=discarded", 422, "status: only new dead letters can be discarded, not those that are discarded"},
		{"/replay?status=discarded", 422, "status: only new dead letters can be replayed"},
		{"/replay?devise=x", 422, "devise: it is unknown here"},
		{"/restore?status=new", 422, "status: only discarded dead letters can be restored"},
		{"/restore?devise=x", 422, "devise: it is unknown here"},
	} {
		method := "GET"
		if strings.HasPrefix(c.path, "/") {
			method = "POST"
		}
		var p problem
		if res := h.call("operator", method, at+c.path, "", &p); res.StatusCode != c.status || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %q, want %d %q", c.path, res.StatusCode, p.Detail, c.status, c.says)
		}
	}
	for _, body := range []string{"device=x", `{"device":"x"}`, strings.Repeat(" ", 1000) + "device=x"} {
		var p problem
		if res := h.call("operator", "POST", at+"/discard", body, &p); res.StatusCode != 400 || !strings.Contains(p.Detail, "not in the body") {
			t.Errorf("with the body %q: %d %q", body, res.StatusCode, p.Detail)
		}
	}
	if got := h.page("?status=new"); got != "[2 1]" {
		t.Errorf("after all that was refused %s are new", got)
	}
}

// Undoing a discard brings back what it set aside, and not what was set aside
// before.
func TestUndoingADiscardOfDeadLetters(t *testing.T) {
	h := newHouse(t, withFormats)
	var done struct {
		Letters     int    `json:"letters"`
		DiscardedAt string `json:"discarded_at"`
	}
	h.dead("a")
	h.call("operator", "POST", "/api/v1/dead-letters/discard", "{}", nil)
	h.dead("b", "c")
	h.call("operator", "POST", "/api/v1/dead-letters/discard?status=new&stage=decode", "{}", &done)
	of := "?discarded_at=" + done.DiscardedAt
	if got := h.page(of); got != "[3 2]" || done.Letters != 2 {
		t.Errorf("%d were discarded then, found are %s", done.Letters, got)
	}
	h.call("operator", "POST", "/api/v1/dead-letters/restore"+of, "{}", &done)
	if got := h.page("?status=discarded"); got != "[1]" || done.Letters != 2 {
		t.Errorf("%d were restored, discarded are still %s", done.Letters, got)
	}
}
