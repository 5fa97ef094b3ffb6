-- +goose Up
CREATE TABLE certificate(
	fingerprint TEXT PRIMARY KEY, -- SHA-256 of the whole, in hex
	device TEXT NOT NULL, -- the device's key
	serial TEXT NOT NULL, -- as its authority numbers it, in hex
	created_at INTEGER NOT NULL, -- issued here, or first seen; ms since 1970 UTC, as are the others
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL, -- 0 is never
	used_at INTEGER NOT NULL
);
CREATE INDEX certificate_device ON certificate(device, created_at);

-- +goose Down
DROP TABLE certificate;
