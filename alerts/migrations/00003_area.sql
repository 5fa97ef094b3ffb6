-- +goose Up
ALTER TABLE alert ADD COLUMN area_version TEXT; -- areas.Ref of when it began; null: not looked up yet
CREATE INDEX alert_started ON alert(started_at);

-- +goose Down
DROP INDEX alert_started;
ALTER TABLE alert DROP COLUMN area_version;
