-- +goose Up
ALTER TABLE provisioning_key ADD COLUMN agency TEXT NOT NULL DEFAULT ''; -- that owns the devices that it makes
ALTER TABLE provisioning_key ADD COLUMN pending INTEGER NOT NULL DEFAULT 0; -- 1: they wait until somebody approves them

-- +goose Down
ALTER TABLE provisioning_key DROP COLUMN pending;
ALTER TABLE provisioning_key DROP COLUMN agency;
