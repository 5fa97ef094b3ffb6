-- +goose Up
ALTER TABLE alert ADD COLUMN cleared_at INTEGER; -- ms; null while open
UPDATE alert SET cleared_at = CAST(strftime('%s', json_extract(body, '$.cleared_at')) AS INTEGER) * 1000 WHERE state = 'closed';
CREATE INDEX alert_key ON alert(key, started_at);

-- +goose Down
DROP INDEX alert_key;
ALTER TABLE alert DROP COLUMN cleared_at;
