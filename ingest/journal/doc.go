// Package journal is the one durable log of accepted readings and events.
//
// It is a folder of SQLite files. What comes is written to the log (log.db),
// one row for each commit, and is synced before Append returns. Every few
// minutes, or after some ten thousand entries, what the log holds is put in
// order on shelves: one file for each week of fix times, in which a device's
// readings of a day lie together as runs, column by column, compressed. Runs of
// a day that is over are joined. A reading is found on its shelf, or, while it
// is fresh, in memory, which is made anew from the log at every start.
//
// Invariants:
//   - Append returns only after the log is committed and synced; what it calls
//     stored was not there before. An entry is the same when its device, kind,
//     fix time and sequence number are, or its content when it has no number.
//   - Positions grow by one; an entry is visible to readers only when its whole
//     batch is durable.
//   - The log keeps what no shelf has, and what a running reader has not read.
//     A reader that comes later than that is told (ingest.ErrCut).
//   - The runs of vessels, blocks, are hash-chained in the order in which they
//     came to the shelves, and never joined or written again (chain.go). One that
//     was changed, removed or inserted is found and named (VerifyTracks).
//   - An entry stays as it came; Mask alone changes data of old events, never of
//     vessels.
//   - Entries go by Expire alone, by device and whole days; how far is noted
//     before they go (Floor).
//   - Settling, joining and cutting can be broken off anywhere: what is done
//     again adds nothing, for shelves are read without regard to repetition.
package journal
