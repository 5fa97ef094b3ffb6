-- +goose Up
ALTER TABLE device ADD COLUMN life TEXT NOT NULL DEFAULT 'active'; -- pending, active, suspended, retired
ALTER TABLE device ADD COLUMN life_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN life_since INTEGER NOT NULL DEFAULT 0; -- ms since 1970 UTC; 0: since created_at
ALTER TABLE device ADD COLUMN agency TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN vendor TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN network TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN cohort TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN gateway TEXT NOT NULL DEFAULT ''; -- a device's id
ALTER TABLE device ADD COLUMN serial TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN firmware TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN installed_at TEXT NOT NULL DEFAULT ''; -- a day of Vietnam, YYYY-MM-DD
ALTER TABLE device ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN photo TEXT NOT NULL DEFAULT ''; -- SHA-256 of a photo of the media store
ALTER TABLE device ADD COLUMN labels TEXT NOT NULL DEFAULT ''; -- one a line
ALTER TABLE device ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0; -- ms since 1970 UTC; 0: never
ALTER TABLE device ADD COLUMN version INTEGER NOT NULL DEFAULT 1; -- grows with each change

CREATE TABLE device_type(
	id TEXT PRIMARY KEY,
	body TEXT NOT NULL, -- YAML
	shipped INTEGER NOT NULL, -- came with the program
	edited INTEGER NOT NULL, -- somebody changed it: a later program's does not replace it
	deleted INTEGER NOT NULL, -- a shipped one that somebody took out: it does not come back
	version INTEGER NOT NULL
);

-- +goose Down
DROP TABLE device_type;
ALTER TABLE device DROP COLUMN version;
ALTER TABLE device DROP COLUMN updated_at;
ALTER TABLE device DROP COLUMN labels;
ALTER TABLE device DROP COLUMN photo;
ALTER TABLE device DROP COLUMN notes;
ALTER TABLE device DROP COLUMN installed_at;
ALTER TABLE device DROP COLUMN firmware;
ALTER TABLE device DROP COLUMN model;
ALTER TABLE device DROP COLUMN serial;
ALTER TABLE device DROP COLUMN gateway;
ALTER TABLE device DROP COLUMN cohort;
ALTER TABLE device DROP COLUMN network;
ALTER TABLE device DROP COLUMN vendor;
ALTER TABLE device DROP COLUMN agency;
ALTER TABLE device DROP COLUMN life_since;
ALTER TABLE device DROP COLUMN life_reason;
ALTER TABLE device DROP COLUMN life;
