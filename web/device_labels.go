package web

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/skip2/go-qrcode"

	"haidang/devices"
	"haidang/devices/people"
)

//go:embed device_labels.html
var labelSheet string

var labelPage = template.Must(template.New("labels").Parse(labelSheet))

// Labels stand 3 × 8 on a sheet of A4; so many are printed at once.
const (
	labelsOnSheet = 24
	maxPrinted    = 50 * labelsOnSheet
)

// printed is a label as it is printed.
type printed struct {
	ID, Name, Agency, Phone string
	// Modules is the QR code as an SVG path in a square of Side.
	Modules template.HTML
	Side    int
}

// getLabels answers with a page to print, with a label for each device: name,
// id, whom to call, and a QR code of the address of the device's page.
func (s *Server) getLabels(w http.ResponseWriter, r *http.Request) {
	q, v, err := s.deviceQuery(r, "sort", "base", "lang", "id")
	if err == nil {
		q.Sort, q.Descending, err = sortParam(v.Get("sort"))
	}
	var base string
	if err == nil {
		base, err = labelBase(r, v.Get("base"))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q.Limit = maxPrinted
	p, err := s.Registry.Page(q)
	if id := v.Get("id"); id != "" {
		p, err = s.labelOf(r, id)
	}
	if err == nil && p.Total > maxPrinted {
		err = &devices.FieldError{Field: "q", Reason: fmt.Sprintf("%d devices match; at most %d labels are printed at once, so narrow the list", p.Total, maxPrinted)}
	}
	var labels []printed
	for _, d := range p.Devices {
		if err != nil {
			break
		}
		var l printed
		l, err = s.label(d, base)
		labels = append(labels, l)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", labelPolicy)
	err = labelPage.Execute(w, map[string]any{"Sheets": slices.Collect(slices.Chunk(labels, labelsOnSheet)), "English": v.Get("lang") == "en"})
	if err != nil { // the reader went
		s.Log.Debug("labels were not read to the end", "component", "web", "error", err)
	}
}

// labelOf is a page with the one device, if who asks may see it.
func (s *Server) labelOf(r *http.Request, id string) (p devices.Page, err error) {
	d, ok := s.Registry.Get(devices.ID(id))
	if !ok {
		return p, fmt.Errorf("device %.80q: %w", id, devices.ErrNotFound)
	}
	return devices.Page{Devices: []*devices.Device{d}, Total: 1}, s.may(r, people.DeviceRead, deviceScope(d))
}

func (s *Server) label(d *devices.Device, base string) (printed, error) {
	l := printed{ID: string(d.ID), Name: d.Name}
	if a, err := s.Agencies.Get(d.Agency); err == nil {
		l.Agency, l.Phone = a.Name, a.Phone
	}
	code, err := qrcode.New(base+"/d/"+url.PathEscape(string(d.ID)), qrcode.Medium)
	if err != nil {
		return l, fmt.Errorf("draw the code of device %s: %w", d.ID, err)
	}
	modules := code.Bitmap() // with the quiet border that readers need
	l.Side, l.Modules = len(modules), path(modules)
	return l, nil
}

// path draws the dark modules, run by run. It has nothing that came from
// outside.
func path(modules [][]bool) template.HTML {
	var b strings.Builder
	for y, line := range modules {
		for x := 0; x < len(line); x++ {
			n := 0
			for x+n < len(line) && line[x+n] {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, n, n)
				x += n
			}
		}
	}
	return template.HTML(b.String())
}

// labelBase is the address under which people reach this server, for codes that
// last as long as their labels: as asked for, or as this request came.
func labelBase(r *http.Request, given string) (string, error) {
	if given == "" {
		scheme := "http"
		if overTLS(r) {
			scheme = "https"
		}
		return scheme + "://" + r.Host, nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(given) > 100 {
		return "", &devices.FieldError{Field: "base", Reason: "it is the address of this server, such as https://ioc.quangtri.gov.vn"}
	}
	return strings.TrimSuffix(given, "/"), nil
}
