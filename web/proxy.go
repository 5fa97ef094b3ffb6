package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type secureKey struct{}

// behind takes the address of who asks, and whether they came over TLS, from the
// proxies that are trusted to say it. From anybody else such a header is a lie.
func (s *Server) behind(next http.Handler) http.Handler {
	if len(s.Proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isProxy(address(r)) {
			next.ServeHTTP(w, r)
			return
		}
		// Each proxy appends who it heard from: the last that is none is who asks.
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			hop = strings.TrimSpace(hop)
			if _, err := netip.ParseAddr(hop); err != nil {
				break
			}
			r.RemoteAddr = net.JoinHostPort(hop, "0")
			if !s.isProxy(hop) {
				break
			}
		}
		ctx := context.WithValue(r.Context(), secureKey{}, r.Header.Get("X-Forwarded-Proto") == "https")
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *Server) isProxy(addr string) bool {
	a, err := netip.ParseAddr(addr)
	return err == nil && slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// overTLS says whether a request came over TLS, to us or to a proxy.
func overTLS(r *http.Request) bool {
	secure, _ := r.Context().Value(secureKey{}).(bool)
	return r.TLS != nil || secure
}
