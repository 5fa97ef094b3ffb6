-- +goose Up
CREATE TABLE agency(
	key TEXT PRIMARY KEY, -- the id without case and accents
	id TEXT NOT NULL,
	retired INTEGER NOT NULL,
	body TEXT NOT NULL    -- the agency as JSON
);

-- +goose Down
DROP TABLE agency;
