// Package agencies keeps the units that handle what is reported: who they are,
// how they are reached, where and for what they are on duty. An agency that
// something refers to is never deleted; it is retired, and so can be given
// nothing new.
package agencies
