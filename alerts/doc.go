// Package alerts says what readings mean and who acts: alerts here, the rules
// that raise them in rules, their judge in engine, work orders and crews in
// dispatch.
//
// An alert is one continuing occurrence of a rule's condition at one device.
// While it is open no second one of the same rule, device and fence exists;
// the database holds that. It imports devices and ingest; web imports it.
package alerts
