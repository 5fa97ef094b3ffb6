// Package retention says how long what is kept is kept: classes as data, each
// with its time, the least that the law allows, and what happens then; holds,
// which keep things from that; and the nightly run that says what it would
// remove, removes it, and says what it removed.
//
// It knows no store. Each store offers a Part, which plans and removes by small
// steps; cmd puts them together.
//
// Invariants:
//   - A time below a class' least is refused, with the law that says so.
//   - A run's plan is kept before anything is removed. A run that was broken off
//     goes on with the same times.
//   - What a hold names stays, whatever its class says.
//   - Changes, holds and runs stand in the audit log.
package retention
