-- +goose Up
-- A report that is anonymised looks for the orders about it, holding the write
-- lock.
CREATE INDEX work_order_report ON work_order(json_extract(body, '$.report'));

-- +goose Down
DROP INDEX work_order_report;
