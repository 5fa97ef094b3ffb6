-- +goose Up
CREATE TABLE change(
	channel TEXT NOT NULL,
	seq INTEGER NOT NULL,
	id TEXT NOT NULL,
	at INTEGER NOT NULL, -- ms since 1970 UTC
	item BLOB NOT NULL,  -- JSON, as it was at that change
	PRIMARY KEY(channel, seq)
) WITHOUT ROWID;
CREATE TABLE change_epoch(epoch TEXT NOT NULL);

-- +goose Down
DROP TABLE change;
DROP TABLE change_epoch;
