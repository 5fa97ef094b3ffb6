-- +goose Up
ALTER TABLE dead_letter ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN version TEXT NOT NULL DEFAULT ''; -- of the decoder

-- +goose Down
ALTER TABLE dead_letter DROP COLUMN sender;
ALTER TABLE dead_letter DROP COLUMN version;
