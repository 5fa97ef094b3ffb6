package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/sheet"
)

// importDevices takes a table of devices, all of it or nothing. It waits for the
// end, unless async=true.
func (s *Server) importDevices(w http.ResponseWriter, r *http.Request) {
	v, err := looseQuery(r, []string{"dry_run", "decimal", "secrets", "async"})
	o, async := sheet.Options{By: who(r).name}, false
	for name, to := range map[string]*bool{"dry_run": &o.DryRun, "secrets": &o.Secrets, "async": &async} {
		if err == nil && v.Has(name) {
			if *to, err = strconv.ParseBool(v.Get(name)); err != nil {
				err = &devices.FieldError{Field: name, Reason: "it is true or false"}
			}
		}
	}
	switch mark := v.Get("decimal"); {
	case err != nil:
	case mark == "comma":
		o.DecimalComma = true
	case mark != "" && mark != "point":
		err = &devices.FieldError{Field: "decimal", Reason: "the decimal mark is point, or comma"}
	}
	var data []byte
	if err == nil {
		data, err = io.ReadAll(http.MaxBytesReader(w, r.Body, sheet.MaxBytes))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	i, err := s.imports.Start(r.Context(), data, o)
	if err == nil && !async {
		i, err = s.imports.Wait(r.Context(), i.ID)
	}
	switch {
	case err != nil:
		s.fail(w, r, err)
	case async:
		w.Header().Set("Location", "/api/v1/imports/"+i.ID)
		s.json(w, http.StatusAccepted, sayImport(i, inLanguage(w, r)))
	case i.State == sheet.Refused && !o.DryRun:
		s.refuseImport(w, r, i)
	default:
		s.json(w, http.StatusOK, sayImport(i, inLanguage(w, r)))
	}
}

// refuseImport says what is wrong in which row and column.
func (s *Server) refuseImport(w http.ResponseWriter, r *http.Request, i sheet.Import) {
	p := problem{Status: http.StatusUnprocessableEntity, Detail: fmt.Sprintf("the table was refused and nothing was changed; places that are wrong: %d. The import is %s", i.ErrorCount, i.ID)}
	for _, e := range i.Errors {
		where := fmt.Sprintf("line %d", e.Row)
		if e.Column != "" { // else it is the row as a whole
			where += ", " + e.Column
		}
		p.Errors = append(p.Errors, fieldError{where, e.Reason})
	}
	s.problem(w, r, p)
}

func (s *Server) listImports(w http.ResponseWriter, r *http.Request) {
	say, items := inLanguage(w, r), s.imports.List()
	for n, i := range items {
		items[n] = sayImport(i, say)
	}
	s.json(w, http.StatusOK, list{Items: items})
}

func (s *Server) getImport(w http.ResponseWriter, r *http.Request) {
	i, err := s.imports.Get(chi.URLParam(r, "id"))
	s.answerImport(w, r, i, err)
}

func (s *Server) stopImport(w http.ResponseWriter, r *http.Request) {
	i, err := s.imports.Stop(chi.URLParam(r, "id"))
	s.answerImport(w, r, i, err)
}

func (s *Server) answerImport(w http.ResponseWriter, r *http.Request, i sheet.Import, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, sayImport(i, inLanguage(w, r)))
}

// getImportSecrets answers with the secrets of new devices, this once.
func (s *Server) getImportSecrets(w http.ResponseWriter, r *http.Request) {
	text, err := s.imports.Secrets(chi.URLParam(r, "id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.note(r, audit.Entry{Action: "import.secrets", Kind: "import", ID: chi.URLParam(r, "id"), After: asJSON(map[string]int{"devices": bytes.Count(text, []byte("\n")) - 1})})
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="secrets.csv"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Write(text)
}

// exportDevices writes the devices of a list as a table, as importDevices takes
// it.
func (s *Server) exportDevices(w http.ResponseWriter, r *http.Request) {
	q, _, err := s.deviceQuery(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q.Limit = sheet.MaxRows
	p, err := s.Registry.Page(q)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="devices.csv"`)
	if err := sheet.Write(w, p.Devices); err != nil {
		s.Log.Warn("export of devices ended early", "component", "web", "error", err, "request_id", requestID(r))
		panic(http.ErrAbortHandler) // a cut-off file must not look whole
	}
}
