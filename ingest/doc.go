// Package ingest is about what arrives: readings, events and citizens' field
// reports; how they are decoded, checked, kept and answered from history.
//
// The way of a message is a visible list of stages (pipeline.go). Every
// message ends as exactly one of stored, duplicate, dead letter or refused,
// each counted, and nothing is acknowledged before the journal has synced it.
//
// It imports devices and nothing else of Hải Đăng's; alerts and web import it.
package ingest
