// Package personal hides what tells a person: one function for each kind of
// data. Decree 356/2025/NĐ-CP (basic personal data: name, phone number, vehicle
// plate, address) asks for it; who needs the data itself is given it once, with
// a right, a reason and an entry in the audit log.
//
// What is left is enough for its owner to know it as theirs, and too little for
// anybody else to know the owner.
package personal
