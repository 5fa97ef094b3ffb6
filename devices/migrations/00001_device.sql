-- +goose Up
CREATE TABLE device(
	key TEXT PRIMARY KEY, -- the id in lower case
	id TEXT NOT NULL,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	area TEXT NOT NULL,
	lat REAL, lon REAL,
	interval_s INTEGER NOT NULL,
	secret_hash TEXT NOT NULL,
	discovered INTEGER NOT NULL,
	created_at INTEGER NOT NULL -- ms since 1970 UTC
);

-- +goose Down
DROP TABLE device;
