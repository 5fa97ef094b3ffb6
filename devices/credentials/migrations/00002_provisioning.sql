-- +goose Up
CREATE TABLE provisioning_key(
	key TEXT PRIMARY KEY, -- what a device names; the secret goes with it
	hash TEXT NOT NULL, -- of the secret
	label TEXT NOT NULL,
	type TEXT NOT NULL, -- of the devices that it makes
	area TEXT NOT NULL,
	existing INTEGER NOT NULL, -- 1: for devices that are registered and have no credential
	most INTEGER NOT NULL, -- how many devices it is good for; 0 is no bound
	used INTEGER NOT NULL,
	created_at INTEGER NOT NULL, -- ms since 1970 UTC, as are the others; 0 is never
	not_after INTEGER NOT NULL,
	disabled_at INTEGER NOT NULL
);

-- +goose Down
DROP TABLE provisioning_key;
