-- +goose Up
CREATE TABLE report(
	code TEXT PRIMARY KEY,
	client_id TEXT UNIQUE, -- the sender's own number, or a hash of the content
	state TEXT NOT NULL,
	category TEXT NOT NULL,
	description TEXT NOT NULL,
	lat REAL, lon REAL,
	address TEXT NOT NULL,
	agency TEXT NOT NULL,
	channel TEXT NOT NULL,
	phone TEXT NOT NULL,
	reporter TEXT NOT NULL,
	photos TEXT NOT NULL,   -- JSON array of SHA-256
	timeline TEXT NOT NULL, -- JSON array of steps
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	answered_at INTEGER
);
CREATE INDEX report_state ON report(state, created_at);

-- +goose Down
DROP TABLE report;
