// Package web is who sees it: the HTTP API, the websocket, sign-in and pages.
// It imports the other rooms; nobody but cmd imports it.
package web
