//go:build ackearly

package ingest

// ackEarly makes a build that acknowledges what is only queued, and loses it in
// a crash. It serves one purpose: to measure what the promise costs.
const ackEarly = true
