// Package audit keeps who did what, when, from where and why: append-only, and
// hash-chained, so that a row changed or taken out afterwards is found and
// named. It does not know what the actions mean.
//
// The chain: the hash of a row is SHA-256 over the hash of the row before it
// and the row's own fields, each behind its length. The first row stands on 32
// zero bytes. Rows cut off at the end leave a chain that is whole; they are
// found by the head that was noted elsewhere (Log.Head, Log.Verify).
package audit
