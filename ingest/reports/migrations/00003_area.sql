-- +goose Up
ALTER TABLE report ADD COLUMN area TEXT;         -- null: not looked up yet
ALTER TABLE report ADD COLUMN area_version TEXT; -- areas.Ref of when it was made
CREATE INDEX report_created ON report(created_at);

-- +goose Down
DROP INDEX report_created;
ALTER TABLE report DROP COLUMN area_version;
ALTER TABLE report DROP COLUMN area;
