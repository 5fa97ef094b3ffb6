-- +goose Up
CREATE TABLE shift(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	state TEXT NOT NULL, -- on_duty, handed_over, closed
	body TEXT NOT NULL   -- JSON
);
-- One is on duty, one waits: no more.
CREATE UNIQUE INDEX shift_open ON shift(state) WHERE state <> 'closed';

-- +goose Down
DROP TABLE shift;
