package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"haidang/devices"
	"haidang/web/openapi"
	"haidang/web/ui"
)

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	doc, err := openapi.Document()
	s.answer(w, r, http.StatusOK, json.RawMessage(doc), err)
}

var errNoRoute = fmt.Errorf("there is nothing at this address: %w", devices.ErrNotFound)

// pageFiles are the pages by path: static shells; what they show they ask of
// the API.
var pageFiles = map[string]string{
	"/": "home.html", "/wall": "wall.html",
	"/phan-anh": "report.html", "/report": "report.html", "/phan-anh/{code}": "track.html", "/report/{code}": "track.html",
	"/to": "crew.html", "/to/{crew}": "crew.html", "/crew": "crew.html", "/crew/{crew}": "crew.html",
	"/bang": "console.html", "/console": "console.html",
	"/d/{id}":    "console.html", // what a label's code says
	"/tai-khoan": "account.html", "/account": "account.html",
	"/suc-khoe": "health.html", "/health": "health.html",
}

func (s *Server) pages(r chi.Router) {
	for path, file := range pageFiles {
		r.Get(path, s.page(file))
	}
	assets := http.FileServerFS(s.Pages)
	r.Get("/assets/*", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			s.fail(w, r, errNoRoute)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // their names hold a hash
		w.Header().Set("Content-Security-Policy", ui.AssetPolicy)
		assets.ServeHTTP(w, r)
	})
}

func (s *Server) page(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := fs.ReadFile(s.Pages, file)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if lang := r.URL.Query().Get("lang"); lang == "vi" || lang == "en" {
			http.SetCookie(w, &http.Cookie{Name: "lang", Value: lang, Path: "/", MaxAge: 365 * 24 * 3600, Secure: overTLS(r), SameSite: http.SameSiteLaxMode})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", ui.PagePolicy)
		w.Write(b)
	}
}
