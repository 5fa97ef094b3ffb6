// Package rollup keeps, for each metric of each device, the mean, least,
// greatest, last and number of its good values by hour and by day, with how
// many were expected: what is asked for long stretches, and what is left when
// the readings themselves are past their retention.
//
// It is a reader of the journal. A reading marks the hour of its fix time; an
// hour that is over and rests is computed from the journal, whole, and written
// in place of what was there. So an hour that late data touches is made again,
// and always equals a fresh computation. A day, which is Vietnam's, is put
// together from its hours when it is asked for.
//
// Invariants:
//   - A mark is durable before the place in the journal moves past its reading.
//   - An hour of which readings may have been removed is never made again from
//     those that are left.
//   - A mark goes in the transaction that writes its hour, and stays when the
//     hour was touched meanwhile.
package rollup
