package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// What an answer may do in a browser, unless its handler says otherwise: nothing.
// Pages and the map's worker have policies of their own (package ui).
const answerPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// photoPolicy is for what people sent us: whatever a browser takes it for, it
// runs nothing and belongs to no site.
const photoPolicy = answerPolicy + "; sandbox"

// labelPolicy lets the sheet of labels have the one style that it ships with.
var labelPolicy = answerPolicy + "; style-src '" + styleHash(labelSheet) + "'"

// styleHash names the only style element of a page in a policy (CSP 3, 2.3.1).
func styleHash(page string) string {
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// aYear has browsers that came over TLS once come no other way for so long. Names
// below ours are not bound: they may be others'.
const aYear = "max-age=31536000"

// secure sets the headers every answer has. What the API says of people and
// places stays in no cache; what may, its handler says.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", answerPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if overTLS(r) {
			h.Set("Strict-Transport-Security", aYear)
		}
		next.ServeHTTP(w, r)
	})
}
