package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/devices/people"
	"haidang/ingest/media"
	"haidang/ingest/reports"
)

// maxUpload bounds a form with photos.
const maxUpload = reports.MaxPhotos*media.MaxBytes + 1<<20

func (s *Server) listCategories(w http.ResponseWriter, _ *http.Request) {
	s.json(w, http.StatusOK, list{Items: s.Reports.Categories()})
}

func (s *Server) postReport(w http.ResponseWriter, r *http.Request) {
	sub, err := s.readSubmission(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rep, created, err := s.Reports.Submit(r.Context(), sub)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/api/v1/reports/"+rep.Code)
	status := http.StatusCreated
	if !created {
		status = http.StatusOK
	}
	s.json(w, status, rep)
}

func (s *Server) readSubmission(w http.ResponseWriter, r *http.Request) (reports.Submission, error) {
	if !isMultipart(r) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload*4/3))
		if err != nil {
			return reports.Submission{}, err
		}
		sub, err := reports.ParseSubmission(b)
		if _, bad := errors.AsType[*devices.FieldError](err); bad {
			return sub, fmt.Errorf("%w: %v", errBadRequest, err)
		}
		sub.Channel = "api"
		return sub, err
	}
	fields, photos, err := readForm(w, r)
	if err != nil {
		return reports.Submission{}, err
	}
	sub := reports.Submission{Category: fields["category"], Description: fields["description"], Address: fields["address"],
		Phone: fields["phone"], Name: fields["name"], ClientID: fields["client_id"], Photos: photos, Channel: "web"}
	sub.Lat, err = floatField(fields, "lat")
	if err == nil {
		sub.Lon, err = floatField(fields, "lon")
	}
	return sub, err
}

func isMultipart(r *http.Request) bool {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t == "multipart/form-data"
}

// readForm reads a form part by part: photos into memory, bounded, and nothing
// into temporary files.
func readForm(w http.ResponseWriter, r *http.Request) (fields map[string]string, photos [][]byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", errBadRequest, err)
	}
	fields = map[string]string{}
	for {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, photos, nil
		}
		if err != nil {
			return nil, nil, formError(err)
		}
		if err := readPart(p, fields, &photos); err != nil {
			return nil, nil, err
		}
	}
}

func readPart(p *multipart.Part, fields map[string]string, photos *[][]byte) error {
	limit := int64(64 << 10)
	photo := p.FormName() == "photos" || p.FormName() == "photos[]" || p.FormName() == "photo"
	if photo {
		limit = media.MaxBytes + 1
	}
	b, err := io.ReadAll(io.LimitReader(p, limit))
	if err != nil {
		return formError(err)
	}
	switch {
	case photo && len(b) == 0: // a file field left empty
	case photo:
		if len(*photos) == reports.MaxPhotos {
			return &devices.FieldError{Field: "photos", Reason: fmt.Sprintf("at most %d photos", reports.MaxPhotos)}
		}
		*photos = append(*photos, b)
	case len(fields) < 32:
		fields[p.FormName()] = string(b)
	}
	return nil
}

func formError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fmt.Errorf("%w: the form ended too early", errBadRequest)
}

func floatField(fields map[string]string, name string) (*float64, error) {
	v := strings.TrimSpace(fields[name])
	if v == "" {
		return nil, nil
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return nil, &devices.FieldError{Field: name, Reason: fmt.Sprintf("%.20q is not a number", v)}
	}
	return &x, nil
}

func (s *Server) listReports(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := reports.Filter{State: reports.State(q.Get("state")), Agency: q.Get("agency"), Query: q.Get("q")}
	var err error
	if f.Limit, err = intParam(q.Get("limit"), "limit", 100, 1000); err == nil {
		f.Before, err = cursorParam(q.Get("cursor"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	rights := who(r).rights
	items, next, err := visible(f.Before, func(before int64) ([]*reports.Report, int64, error) {
		f.Before = before
		return s.Reports.List(r.Context(), f)
	}, func(rep *reports.Report) bool { return rights.Allow(people.ReportRead, reportScope(rep)) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.json(w, http.StatusOK, list{some(items), cursor(next)})
}

func (s *Server) getReport(w http.ResponseWriter, r *http.Request) {
	rep, err := s.Reports.Get(r.Context(), chi.URLParam(r, "code"))
	s.answer(w, r, http.StatusOK, rep, err)
}

// mayReport says whether who asks may do something to the report that the path
// names.
func (s *Server) mayReport(r *http.Request, a people.Action) error {
	rep, err := s.Reports.Get(r.Context(), chi.URLParam(r, "code"))
	if err != nil {
		return err
	}
	return s.may(r, a, reportScope(rep))
}

func (s *Server) stepReport(w http.ResponseWriter, r *http.Request) {
	var b struct{ Text, Reason, Agency, By string }
	if err := s.body(w, r, 64<<10, &b); err != nil {
		s.fail(w, r, err)
		return
	}
	if b.Text == "" {
		b.Text = b.Reason
	}
	if err := s.mayReport(r, people.ReportHandle); err != nil {
		s.fail(w, r, err)
		return
	}
	rep, err := s.Reports.Apply(r.Context(), chi.URLParam(r, "code"), chi.URLParam(r, "step"), reports.Action{By: s.actor(r, b.By), Text: b.Text, Agency: b.Agency})
	s.answer(w, r, http.StatusOK, rep, err)
}

func (s *Server) getPhoto(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "file")
	f, err := s.Media.Get(strings.TrimSuffix(name, ".jpg"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Disposition", `inline; filename="`+strings.TrimSuffix(name, ".jpg")+`.jpg"`) // its form is that of a hash
	w.Header().Set("Content-Security-Policy", photoPolicy)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(w, r, "", st.ModTime(), f)
}
