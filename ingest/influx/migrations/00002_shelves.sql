-- +goose Up
CREATE TABLE influx_shelf(one INTEGER PRIMARY KEY CHECK(one = 1), pos INTEGER NOT NULL, shelf INTEGER NOT NULL, run INTEGER NOT NULL);

-- +goose Down
DROP TABLE influx_shelf;
