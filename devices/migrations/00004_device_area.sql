-- +goose Up
-- Where devices were registered, of those that were moved from one area to
-- another: each from a time on, the first from the beginning.
CREATE TABLE device_area(
	key TEXT NOT NULL, -- device.key
	since INTEGER NOT NULL, -- ms since 1970 UTC
	area TEXT NOT NULL,
	PRIMARY KEY(key, since)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE device_area;
