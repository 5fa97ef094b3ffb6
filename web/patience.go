package web

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// bodyWait is how long a body may take to come: 60 MB of photos over a line of
// half a megabit. Without an end, a few hundred senders of a byte a minute would
// hold all connections.
const bodyWait = 17 * time.Minute

// patient waits for a body so long, and no longer. When it has come there is no
// bound on the answer.
func (s *Server) patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody || r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		if c.SetReadDeadline(time.Now().Add(s.bodyWait)) == nil {
			r.Body = &awaited{r.Body, c}
		}
		next.ServeHTTP(w, r)
	})
}

// awaited is a body with a deadline that ends with it: else it would end the
// request while its answer is written.
type awaited struct {
	io.ReadCloser
	c *http.ResponseController
}

// Read implements io.Reader.
func (a *awaited) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		a.c.SetReadDeadline(time.Time{})
	}
	return n, err
}
