-- +goose Up
CREATE TABLE alert(
	id TEXT PRIMARY KEY,
	key TEXT NOT NULL,       -- rule, device and fence
	state TEXT NOT NULL,
	severity TEXT NOT NULL,
	device TEXT NOT NULL,
	acked INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	body TEXT NOT NULL       -- the alert as JSON
);
-- A closed alert releases its key; the next occurrence is a new alert.
CREATE UNIQUE INDEX alert_open ON alert(key) WHERE state = 'open';
CREATE INDEX alert_device ON alert(device, started_at);
CREATE TABLE engine_state(
	rule TEXT NOT NULL, device TEXT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY(rule, device)
) WITHOUT ROWID;
CREATE TABLE engine_cursor(pos INTEGER NOT NULL);

-- +goose Down
DROP TABLE alert;
DROP TABLE engine_state;
DROP TABLE engine_cursor;
