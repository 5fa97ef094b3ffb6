//go:build !ackearly

package ingest

// ackEarly is false: a message is acknowledged when the journal has it, synced.
const ackEarly = false
