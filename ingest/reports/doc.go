// Package reports is about citizens' field reports (phản ánh hiện trường): how
// they are taken in and brought to an answer.
//
// A report is received, then accepted or refused with a reason, assigned to an
// agency, and answered; each step is kept with who, when and in what words.
// The reporter's name and phone never leave this package unmasked.
package reports
