// Package devices says what exists: devices, their types, the areas and
// agencies they belong to, and how fresh what we know of them is.
//
// It is the innermost room: it imports nothing of Hải Đăng's own, and ingest,
// alerts, web and cmd may all import it. It does not know how data arrives
// (ingest) or what it means (alerts).
package devices
