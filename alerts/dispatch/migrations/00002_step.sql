-- +goose Up
ALTER TABLE work_order_event ADD COLUMN step TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE work_order_event DROP COLUMN step;
