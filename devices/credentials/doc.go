// Package credentials says who may sign in as a device: with which secret or
// certificate, from when until when. It makes the secrets, shows each once,
// keeps hashes, and tells its watchers at once when one begins or ends, so that
// a broker can end sessions that stand on it.
//
// A secret is 130 random bits. No hash is slow enough to matter against guessing
// those, and none so fast that a stolen hash could be undone; argon2id is kept
// at a low cost so that ten thousand devices that come back at once are let in
// within seconds on two cores. What was found right is remembered in memory, as
// an HMAC under a key that dies with the program: the next sign-in costs no
// argon2id. Only credentials that live are looked at, so nothing has to be
// forgotten when one ends.
//
// A device is given a secret by somebody (issue.go), or by itself with a
// provisioning key (key.go, provision.go); or it has a certificate of a trusted
// authority, perhaps signed here (authority.go, certificate.go).
//
// It does not know how devices connect (ingest/broker, web), nor what they may
// say beyond their own topics.
package credentials
