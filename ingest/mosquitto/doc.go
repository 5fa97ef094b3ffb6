// Package mosquitto keeps the password and access files of an outside mosquitto
// in step with the devices that may sign in, and has it read them again. What a
// device may do stands here as in ingest/broker, in mosquitto's words; a test
// there tries the same forgeries at both.
package mosquitto
