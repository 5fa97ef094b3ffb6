package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Entry is one act of somebody.
type Entry struct {
	// Seq is the number of the entry, from 1, without gaps. Log sets it.
	Seq int64 `json:"seq"`
	// At is when it was done, in UTC, to the millisecond. Log sets it.
	At time.Time `json:"at"`
	// Who is the name of the account, token or device; "system" for what the
	// program does by itself. Log takes it, Role and Address from the context
	// when it is empty.
	Who string `json:"who"`
	// Role is what they acted as.
	Role string `json:"role,omitempty"`
	// Address is where the request came from; empty for the program itself.
	Address string `json:"address,omitempty"`
	// Action is what was done, as kind.verb: "device.create", "report.unmask".
	Action string `json:"action"`
	// Kind and ID name what it was done to: "device", "qb-air-01".
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Before and After are the thing's JSON; empty where there was or is none.
	// Secrets and their hashes never stand in them.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// Why is the reason that was given, where one is asked for.
	Why string `json:"why,omitempty"`
	// Hash chains the entry to the one before. Log sets it.
	Hash []byte `json:"hash"`
}

// sum is the hash of e behind prev.
func (e *Entry) sum(prev []byte) []byte {
	h := sha256.New()
	h.Write(prev)
	var n [8]byte
	number := func(x int64) {
		binary.BigEndian.PutUint64(n[:], uint64(x))
		h.Write(n[:])
	}
	number(e.Seq)
	number(e.At.UnixMilli())
	for _, s := range []string{e.Who, e.Role, e.Address, e.Action, e.Kind, e.ID, string(e.Before), string(e.After), e.Why} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}
