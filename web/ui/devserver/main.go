// Command devserver shows the built pages with canned data and no program behind
// them, to look at: go run ./web/ui/devserver, from the repository's root.
// The scene is chosen by -scene: normal, empty, flood (10,000 alerts, clusters) or locked (sign-in).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"haidang/web/ui"
)

func main() {
	addr := flag.String("http", "127.0.0.1:0", "where to listen")
	scene := flag.String("scene", "normal", "normal, empty, flood or locked")
	dist := flag.String("dist", "web/ui/dist", "the built pages, read anew for each request")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, handler(newWorld(*scene), *dist)))
}

func handler(w *world, dist string) http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{
		"/{$}": "home.html", "/wall": "wall.html", "/phan-anh": "report.html", "/phan-anh/{code}": "track.html",
		"/to": "crew.html", "/to/{crew}": "crew.html", "/bang": "console.html", "/suc-khoe": "health.html",
	} {
		mux.HandleFunc("GET "+path, func(rw http.ResponseWriter, _ *http.Request) {
			b, err := os.ReadFile(filepath.Join(dist, file))
			if err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			rw.Write(b)
		})
	}
	mux.Handle("GET /assets/", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("GET /ws", w.socket)
	mux.HandleFunc("/api/v1/", func(rw http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/api/v1")
		status, body := w.answer(r.Method, path)
		if status >= 400 {
			rw.Header().Set("Content-Type", "application/problem+json")
		} else {
			rw.Header().Set("Content-Type", "application/json")
		}
		rw.WriteHeader(status)
		json.NewEncoder(rw).Encode(body)
	})
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		// The real server's, so that what it forbids is seen here too.
		rw.Header().Set("Content-Security-Policy", ui.PagePolicy)
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			rw.Header().Set("Content-Security-Policy", ui.AssetPolicy)
		}
		rw.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(rw, r)
	})
}
