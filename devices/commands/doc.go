// Package commands tells devices what to do and how to be set, and keeps what
// they answer.
//
// A command waits in SQLite until its device can hear it: at once when it said
// that it is online, else when it is next heard. It goes out at QoS 1 under an
// id of its own. When no answer comes in time, for the device slept or the
// connection broke, it waits again and is sent once more under the same id, by
// which the device knows that it has it: at least once on the wire, once at the
// device. A configuration is retained at the broker, with a version that the
// device reports back.
//
// Invariants:
//   - Nothing is published before it is committed here.
//   - What expired before it was sent is never sent.
//   - An answer counts whenever it comes, and twice no more than once.
//
// It does not know MQTT: cmd gives it a way to publish.
package commands
