-- +goose Up
-- Times are ms since 1970 UTC; JSON is text, empty where there is none.
CREATE TABLE command(
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	device TEXT NOT NULL,
	batch TEXT NOT NULL, -- empty: by itself
	name TEXT NOT NULL,
	args TEXT NOT NULL,
	who TEXT NOT NULL,
	why TEXT NOT NULL,
	state TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	timeout_ms INTEGER NOT NULL,
	sent_at INTEGER,
	delivered_at INTEGER,
	ended_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	message TEXT NOT NULL DEFAULT '',
	result TEXT NOT NULL DEFAULT ''
);
CREATE INDEX command_device ON command(device, seq);
CREATE INDEX command_of_batch ON command(batch, state) WHERE batch <> '';
CREATE INDEX command_open ON command(device, seq) WHERE state IN ('queued', 'sent', 'delivered');
CREATE TABLE command_batch(
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	args TEXT NOT NULL,
	filter TEXT NOT NULL, -- as it was asked for, JSON
	who TEXT NOT NULL,
	why TEXT NOT NULL,
	total INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	stopped_at INTEGER
);
CREATE TABLE device_config(
	device TEXT PRIMARY KEY,
	version INTEGER NOT NULL, -- of desired; 0: none was given
	desired TEXT NOT NULL,
	set_by TEXT NOT NULL,
	why TEXT NOT NULL,
	set_at INTEGER,
	published INTEGER NOT NULL, -- the broker has this version
	reported_version INTEGER,
	reported TEXT NOT NULL,
	reported_at INTEGER,
	firmware TEXT NOT NULL,
	error TEXT NOT NULL
);

-- +goose Down
DROP TABLE command;
DROP TABLE command_batch;
DROP TABLE device_config;
