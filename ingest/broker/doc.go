// Package broker runs the NATS server's MQTT 3.1.1 in process: the default
// broker, needing nothing installed.
//
// What devices publish at QoS 1 never touches NATS' own store. NATS hands each
// such message to the subject $MQTT.msgs.<topic> and answers the device when
// that is answered, as JetStream would; here the journal answers in JetStream's
// place, after its commit (intake.go). A device's PUBACK therefore means that
// its reading is synced, and what was not acknowledged is the device's to send
// again. JetStream keeps what the server has for devices, and their sessions.
//
// Two traps shape it. Nobody may publish before ingest listens, or the message
// would wait in vain: devices are let in only after Ready. And a publish that
// is not permitted is dropped without a word to the device; permissions
// therefore only ever forbid what belongs to others.
package broker
