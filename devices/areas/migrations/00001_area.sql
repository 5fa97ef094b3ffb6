-- +goose Up
CREATE TABLE area(
	code TEXT NOT NULL,
	valid_from TEXT NOT NULL, -- a day in Vietnam, 2025-07-01; empty: before our records
	valid_to TEXT NOT NULL,   -- the day after its last; empty: still
	name TEXT NOT NULL,
	name_en TEXT NOT NULL,
	type TEXT NOT NULL,
	parent TEXT NOT NULL,     -- a code; empty: none
	source TEXT NOT NULL,
	lat REAL, lon REAL,       -- where its name stands
	geometry BLOB,            -- a MultiPolygon in WKB; null: not known
	PRIMARY KEY(code, valid_from)
);
-- What an area that ended became.
CREATE TABLE succession(
	new TEXT NOT NULL,
	new_from TEXT NOT NULL,
	old TEXT NOT NULL,        -- the version that ended on new_from
	share REAL NOT NULL,      -- of the old one, that came to the new one
	kind TEXT NOT NULL,
	place INTEGER NOT NULL,   -- order in which the new one names them
	PRIMARY KEY(new, new_from, old),
	FOREIGN KEY(new, new_from) REFERENCES area(code, valid_from)
);
CREATE TABLE area_revision(n INTEGER NOT NULL); -- counts imports
INSERT INTO area_revision VALUES(0);

-- +goose Down
DROP TABLE succession;
DROP TABLE area;
DROP TABLE area_revision;
