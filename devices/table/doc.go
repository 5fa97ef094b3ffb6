// Package table reads tables that people made in a spreadsheet or an old
// program: CSV with commas, semicolons or tabs, with or without a byte order
// mark, in UTF-8, UTF-16 or Windows-1258, composed or decomposed. Every fault is told
// at its row and column. It does not know what the columns mean.
package table
