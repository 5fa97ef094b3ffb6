// Package journal is the one durable log of accepted readings and events.
//
// It is a folder of SQLite files, one for each week of fix times. An entry's
// identity (device, kind, fix time, sequence) therefore always falls into the
// same file, which alone can say whether it is a duplicate; retention drops
// whole files; and anyone can open one with the sqlite3 shell.
//
// Invariants:
//   - Append returns only after every touched file is committed and synced.
//   - Positions grow by one across files; an entry is visible to readers only
//     when its whole batch is durable.
//   - Readers own their cursors: the journal knows nothing of them.
package journal
