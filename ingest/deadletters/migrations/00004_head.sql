-- A list needs the start of a payload and nothing behind it. SQLite walks through
-- all of a long value to what stands after it, so the rest comes last.

-- +goose Up
CREATE TABLE dead_letter_headed(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	received_at INTEGER NOT NULL, -- ms since 1970 UTC
	source TEXT NOT NULL,
	sender TEXT NOT NULL,
	topic TEXT NOT NULL,
	format TEXT NOT NULL,  -- the decoder's name; '' is the native form
	version TEXT NOT NULL, -- of the decoder
	device TEXT NOT NULL,
	stage TEXT NOT NULL,
	code TEXT NOT NULL,
	message TEXT NOT NULL,
	size INTEGER NOT NULL,
	status TEXT NOT NULL,
	discarded_at INTEGER NOT NULL DEFAULT 0, -- ms since 1970 UTC; 0 is never
	head BLOB NOT NULL, -- the payload's first 4 KiB
	rest BLOB NOT NULL  -- and what follows them
);
INSERT INTO sqlite_sequence(name, seq) SELECT 'dead_letter_headed', seq FROM sqlite_sequence WHERE name = 'dead_letter';
INSERT INTO dead_letter_headed
	SELECT id, received_at, source, sender, topic, format, version, device, stage, code, message, size, status, 0, coalesce(substr(payload, 1, 4096), x''), coalesce(substr(payload, 4097), x'')
	FROM dead_letter;
DROP TABLE dead_letter;
ALTER TABLE dead_letter_headed RENAME TO dead_letter;
CREATE INDEX dead_letter_device ON dead_letter(device, id);
CREATE INDEX dead_letter_new ON dead_letter(id) WHERE status = 'new';

-- +goose Down
ALTER TABLE dead_letter ADD COLUMN payload BLOB NOT NULL DEFAULT x'';
UPDATE dead_letter SET payload = CAST(head || rest AS BLOB);
ALTER TABLE dead_letter DROP COLUMN rest;
ALTER TABLE dead_letter DROP COLUMN head;
ALTER TABLE dead_letter DROP COLUMN discarded_at;
