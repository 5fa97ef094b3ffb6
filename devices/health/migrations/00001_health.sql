-- +goose Up
-- Silences that ended; times are ms since 1970 UTC.
CREATE TABLE health_outage(
	device TEXT NOT NULL,
	seen_at INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	back_at INTEGER NOT NULL,
	PRIMARY KEY(device, seen_at)
) WITHOUT ROWID;
CREATE INDEX health_outage_back ON health_outage(back_at);
-- When this program listened.
CREATE TABLE health_listened(began INTEGER PRIMARY KEY, until INTEGER NOT NULL);

-- +goose Down
DROP TABLE health_outage;
DROP TABLE health_listened;
