-- +goose Up
CREATE TABLE calendar(
	id TEXT PRIMARY KEY,
	body TEXT NOT NULL, -- JSON
	version INTEGER NOT NULL
);

-- +goose Down
DROP TABLE calendar;
