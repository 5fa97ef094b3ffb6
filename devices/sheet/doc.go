// Package sheet reads and writes devices as a table: the CSV that an office
// keeps in a spreadsheet. It compares a table with the registry, says what would
// change and what is wrong in which row and column, and imports all of it or
// nothing.
//
// It takes what spreadsheets make of CSV: a byte-order mark, UTF-16, semicolons
// and tabs, the old code page 1258, letters taken apart from their accents. It
// does not guess what a number means: a decimal comma is taken only when it is
// said.
package sheet
