-- +goose Up
ALTER TABLE report ADD COLUMN search TEXT NOT NULL DEFAULT ''; -- what is searched, folded
ALTER TABLE report ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;  -- number of its last change

-- +goose Down
ALTER TABLE report DROP COLUMN seq;
ALTER TABLE report DROP COLUMN search;
