// Package health judges how devices do: whether they speak when they should,
// since when they do not, and what share of the time they could be relied on.
//
// How often a device should speak is declared for it or its type, and learned
// from the last gaps between what came: a vessel behind a slow network is not
// silent for being slow. A silence is written down when it ends; the one that
// lasts follows from when the device was last heard. Time in which this program
// did not listen counts for nobody and against nobody.
//
// It imports devices alone. What a device last said is kept by ingest/latest,
// which takes its rhythm from here.
package health
