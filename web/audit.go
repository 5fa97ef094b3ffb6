package web

import (
	"bufio"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// auditView is an entry as the API shows it.
type auditView struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Who     string          `json:"who"`
	Role    string          `json:"role,omitempty"`
	Address string          `json:"address,omitempty"`
	Action  string          `json:"action"`
	Kind    string          `json:"kind"`
	ID      string          `json:"id"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
	Why     string          `json:"why,omitempty"`
	Hash    string          `json:"hash"` // hex
}

func viewAudit(e *audit.Entry) auditView {
	return auditView{e.Seq, e.At, e.Who, e.Role, e.Address, e.Action, e.Kind, e.ID, e.Before, e.After, e.Why, hex.EncodeToString(e.Hash)}
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request) {
	f, export, err := auditFilter(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if export != "" {
		s.exportAudit(w, r, f, export)
		return
	}
	f.Limit++ // one more tells whether there is a next page
	es, err := s.Audit.List(r.Context(), f)
	next := int64(0)
	if len(es) == f.Limit {
		es = es[:f.Limit-1]
		next = es[len(es)-1].Seq
	}
	items := make([]auditView, len(es))
	for i := range es {
		items[i] = viewAudit(&es[i])
	}
	s.answer(w, r, http.StatusOK, list{items, cursor(next)}, err)
}

func auditFilter(r *http.Request) (f audit.Filter, export string, err error) {
	q := r.URL.Query()
	for name := range q {
		if !strings.Contains(" who action kind id from to limit cursor export ", " "+name+" ") {
			return f, "", &devices.FieldError{Field: cut(name, 40), Reason: "there is no such parameter; these are: who, action, kind, id, from, to, limit, cursor, export"}
		}
	}
	f = audit.Filter{Who: q.Get("who"), Action: q.Get("action"), Kind: q.Get("kind"), ID: q.Get("id")}
	if f.From, err = timeParam(q.Get("from"), "from", time.Time{}); err == nil {
		f.To, err = timeParam(q.Get("to"), "to", time.Time{})
	}
	if err == nil {
		f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000)
	}
	if err == nil {
		f.Before, err = cursorParam(q.Get("cursor"))
	}
	if export = q.Get("export"); err == nil && export != "" && export != "csv" && export != "ndjson" {
		err = &devices.FieldError{Field: "export", Reason: "export is csv or ndjson"}
	}
	return f, export, err
}

// exportAudit writes all that match, newest first, page by page. Who took it
// away is itself recorded.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request, f audit.Filter, form string) {
	s.note(r, audit.Entry{Action: "audit.export", Kind: "audit", ID: cut(r.URL.RawQuery, 500)})
	types := map[string]string{"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
	w.Header().Set("Content-Type", types[form])
	w.Header().Set("Content-Disposition", `attachment; filename="audit.`+form+`"`)
	buf := bufio.NewWriter(w)
	write := auditNDJSON(buf)
	if form == "csv" {
		write = auditCSV(buf)
	}
	for f.Limit = 1000; ; {
		es, err := s.Audit.List(r.Context(), f)
		if err != nil {
			s.Log.Warn("export of the audit log ended early", "component", "web", "error", err)
			panic(http.ErrAbortHandler) // a cut-off file must not look whole
		}
		for i := range es {
			if write(&es[i]) != nil {
				return
			}
		}
		if len(es) < f.Limit {
			buf.Flush()
			return
		}
		f.Before = es[len(es)-1].Seq
	}
}

func auditNDJSON(w *bufio.Writer) func(*audit.Entry) error {
	enc := json.NewEncoder(w)
	return func(e *audit.Entry) error { return enc.Encode(viewAudit(e)) }
}

// auditCSV writes rows as spreadsheets read them; a text that one would take for
// a formula gets an apostrophe before it.
func auditCSV(w *bufio.Writer) func(*audit.Entry) error {
	c := csv.NewWriter(w)
	w.WriteString("\ufeff") // else they take it for another code page
	c.Write([]string{"seq", "at", "who", "role", "address", "action", "kind", "id", "before", "after", "why", "hash"})
	return func(e *audit.Entry) error {
		row := []string{strconv.FormatInt(e.Seq, 10), e.At.Format(time.RFC3339Nano), e.Who, e.Role, e.Address, e.Action, e.Kind, e.ID, string(e.Before), string(e.After), e.Why, hex.EncodeToString(e.Hash)}
		for i, cell := range row {
			if strings.ContainsAny(cut(cell, 1), "=+-@\t\r") {
				row[i] = "'" + cell
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
		c.Flush()
		return c.Error()
	}
}

// asJSON is what an entry says of a thing; what is given here always can be.
func asJSON(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}
