-- +goose Up
CREATE TABLE credential(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	device TEXT NOT NULL, -- the device's key: its id in lower case
	slot INTEGER NOT NULL, -- 1 or 2: which of the two that may be valid at a time
	label TEXT NOT NULL,
	hash TEXT NOT NULL, -- $argon2id$…, or $sha256$… of an earlier version
	mosquitto TEXT NOT NULL, -- $7$…, as mosquitto reads it; empty until it is known
	created_at INTEGER NOT NULL, -- ms since 1970 UTC, as are the others; 0 is never
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	revoked_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL
);
CREATE INDEX credential_device ON credential(device, id);
-- Secrets of earlier versions go on: their hashes move here.
INSERT INTO credential(device,slot,label,hash,mosquitto,created_at,not_before,not_after,revoked_at,used_at)
	SELECT key,1,'','$sha256$'||secret_hash,'',created_at,0,0,0,0 FROM device WHERE secret_hash<>'';
UPDATE device SET secret_hash='' WHERE secret_hash<>'';

-- +goose Down
DROP TABLE credential;
