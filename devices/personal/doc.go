// Package personal hides what tells a person: one function for each kind of
// data. Decree 356/2025/NĐ-CP (basic personal data: name, phone number, vehicle
// plate, address) asks for it; who needs the data itself is given it once, with
// a right, a reason and an entry in the audit log.
//
// What is left is enough for its owner to know it as theirs, and too little for
// anybody else to know the owner.
//
// Where each kind stands, and what hides it from every role:
//
//	a report's name, phone, address, words   PersonName, Phone, Address, Text; all of it by /reports/{code}/unmask
//	its place, where that is often a home    Place; exact in the same way, and for who works on its order
//	an event's data (plates, drivers, …)     Fields; as it came by /devices/{id}/events/unmask
//	a dead letter's bytes and reason         Payload, Text; as they came by /dead-letters/{id}/unmask
//	a command's answer                       Payload, Text
//	a work order's title, words, notes       Text, but for who acts on orders or handles reports: they call
//	what a shift tells the next              Text, but for who keeps shifts
//	a device's notes, why it is suspended    Text (devices.Device.Masked), also in files and the audit log
//	why somebody did something: the audit    Text, before it is kept: the log is never unmasked
//	log, an alert's acknowledgement, a command
//
// Not hidden are: what an officer answers in a report, which is written for the
// public; contacts of agencies, which are offices; names and ids of devices,
// which must not be a person's; settings and arguments of commands; names of
// accounts, to who manages them. Names in running text cannot be found, and faces
// and plates in photos are not: a photo has an address of 256 random bits, told
// with its report alone.
package personal
