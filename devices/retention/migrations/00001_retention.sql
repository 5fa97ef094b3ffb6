-- +goose Up
CREATE TABLE retention_class(
	id TEXT PRIMARY KEY,
	keep TEXT NOT NULL,    -- ISO 8601; empty: for ever
	by_type TEXT NOT NULL, -- JSON: device type -> period
	version INTEGER NOT NULL
);
CREATE TABLE retention_hold(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	device TEXT NOT NULL, report TEXT NOT NULL, area TEXT NOT NULL, -- one of them, or none: everything
	from_ms INTEGER, to_ms INTEGER, -- ms since 1970 UTC; null: without bound
	reason TEXT NOT NULL,
	by_whom TEXT NOT NULL, at INTEGER NOT NULL,
	lifted_by TEXT NOT NULL DEFAULT '', lifted_at INTEGER, lifted_why TEXT NOT NULL DEFAULT ''
);
CREATE TABLE retention_run(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	started_at INTEGER NOT NULL,
	ended_at INTEGER, -- null: it has not ended
	body TEXT NOT NULL -- JSON: what it planned, what it removed
);
-- The heads of the vessel tracks' chains as they were noted each night.
CREATE TABLE retention_track(device TEXT PRIMARY KEY, no INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL);
-- Once: how long readings were kept before there were classes, so that an
-- upgrade removes nothing.
CREATE TABLE retention_seeded(one INTEGER PRIMARY KEY CHECK(one=1));

-- +goose Down
DROP TABLE retention_seeded; DROP TABLE retention_track; DROP TABLE retention_run; DROP TABLE retention_hold; DROP TABLE retention_class;
