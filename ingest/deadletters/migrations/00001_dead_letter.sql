-- +goose Up
CREATE TABLE dead_letter(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	received_at INTEGER NOT NULL, -- ms since 1970 UTC
	source TEXT NOT NULL,
	topic TEXT NOT NULL,
	device TEXT NOT NULL,
	stage TEXT NOT NULL,
	code TEXT NOT NULL,
	message TEXT NOT NULL,
	payload BLOB NOT NULL,
	size INTEGER NOT NULL,
	status TEXT NOT NULL
);
CREATE INDEX dead_letter_device ON dead_letter(device, id);

-- +goose Down
DROP TABLE dead_letter;
