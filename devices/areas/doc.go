// Package areas keeps administrative and operational units as dated data: what
// was called what, lay in what and within which borders, from which day to
// which, by which law, and what became of it. Units change (districts ended on
// 1 July 2025), and what was counted on one map must be had on another.
//
// An area is a code; each time its name, type, parent or border changes there
// is a new Version of it. Versions of one code never overlap. A version that
// ends passes on to successors, each by a share, the shares adding up to one.
// All of it lies in memory, as an index that is made anew and swapped when an
// import is applied; SQLite keeps it.
//
// The package knows no devices, alerts or reports: those ask Locate where
// something was, and keep the Ref.
package areas
