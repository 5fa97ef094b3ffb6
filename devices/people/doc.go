// Package people keeps who may enter and what each may do: roles and rights,
// accounts with their passwords and second factors, sessions, API tokens, and
// the shifts of the centre with their handover.
//
// Rights are role × area × category × action, checked in one place
// (Rights.Allow); what no grant gives is refused. Of passwords, sessions,
// tokens and recovery codes only hashes are kept. Every change is recorded in
// the audit log, in the transaction that makes it.
//
// It does not know HTTP: package web asks it who somebody is.
package people
