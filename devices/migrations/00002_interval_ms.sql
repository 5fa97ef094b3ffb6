-- +goose Up
ALTER TABLE device RENAME COLUMN interval_s TO interval_ms;
UPDATE device SET interval_ms = interval_ms * 1000;

-- +goose Down
UPDATE device SET interval_ms = interval_ms / 1000;
ALTER TABLE device RENAME COLUMN interval_ms TO interval_s;
