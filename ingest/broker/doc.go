// Package broker runs the NATS server's MQTT 3.1.1 in process: the default
// broker, persistent, QoS 1, needing nothing installed.
//
// Two traps shape it. NATS keeps a QoS 1 message only while some QoS 1 session
// subscribes to it, so devices are let in only after Ready: ingest has its
// session by then. And a publish that is not permitted is dropped without a
// word to the device; permissions therefore only ever forbid what belongs to
// others.
package broker
