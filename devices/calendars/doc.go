// Package calendars keeps when offices work: the hours of each weekday, the days
// off and the days that are worked instead. In Vietnam these are announced each
// year, so they are data: only what the Labour Code fixes to a date ships.
//
// It knows no agencies; those name a calendar by its id.
package calendars
