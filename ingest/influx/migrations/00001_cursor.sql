-- +goose Up
CREATE TABLE influx_cursor(one INTEGER PRIMARY KEY CHECK(one = 1), pos INTEGER NOT NULL);

-- +goose Down
DROP TABLE influx_cursor;
