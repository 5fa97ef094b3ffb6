-- +goose Up
ALTER TABLE work_order ADD COLUMN area_version TEXT NOT NULL DEFAULT ''; -- areas.Ref of when it was given
ALTER TABLE work_order ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0; -- ms since 1970 UTC
UPDATE work_order SET created_at = CAST(strftime('%s', json_extract(body, '$.created_at')) AS INTEGER) * 1000;
CREATE INDEX work_order_created ON work_order(created_at);

-- +goose Down
DROP INDEX work_order_created;
ALTER TABLE work_order DROP COLUMN created_at;
ALTER TABLE work_order DROP COLUMN area_version;
