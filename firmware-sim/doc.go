// Package firmwaresim is a province of devices without hardware.
//
// It plays traffic cameras, air stations, water-level gauges and fishing
// vessels over real MQTT (one connection, one last will and one small outbox
// per device) and citizens over HTTP. It imports no other room and knows only
// the published wire formats, so that a test with it catches drift between
// what is documented and what is taken.
//
// A scenario (YAML) says which devices there are, how the virtual day runs and
// which faults strike. A Stream turns scenario, seed and start into messages;
// it is a pure function of the three, so a failing run can be run again byte
// for byte. Run paces the stream by the real clock and hands each message to
// its device's connection.
//
// Each device listens to its commands and its configuration, does what it is
// told once for each id (restart, set_interval, identify, sleep, and fail on
// purpose), and answers.
//
// Time: a --time-factor of 60 makes an hour of the province pass in a minute:
// intervals shrink and vessels hurry, but fix times on the wire are the real
// time of sending unless a fault says otherwise.
package firmwaresim
