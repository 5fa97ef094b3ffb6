package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"haidang/web/live"
)

// lookAgain is how often it is looked whether the session of an open websocket
// still stands, with the same rights.
const lookAgain = 5 * time.Second

func (s *Server) ws(w http.ResponseWriter, r *http.Request) {
	if !live.Asked(r) {
		s.fail(w, r, fmt.Errorf("%w: this address speaks websocket only", errBadRequest))
		return
	}
	leave, ok := s.socket(w, r)
	if !ok {
		return
	}
	defer leave()
	ctx, end := context.WithCancel(r.Context())
	defer end()
	if !s.Open {
		go s.stand(ctx, end, r)
	}
	s.Hub.ServeHTTP(w, r.WithContext(ctx), s.access(r))
}

// stand ends a websocket when the session does, or its rights change: it was let
// in once, and would else stay. Somebody at it counts as using the session.
func (s *Server) stand(ctx context.Context, end func(), r *http.Request) {
	defer end()
	rights := who(r).rights.Key()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// A database that does not answer now ends nobody's session.
			if id, err := s.fromCredentials(r); err == nil && (!id.known() || id.rights.Key() != rights) {
				return
			}
		}
	}
}
