-- +goose Up
ALTER TABLE report ADD COLUMN anonymised_at INTEGER;

-- +goose Down
ALTER TABLE report DROP COLUMN anonymised_at;
