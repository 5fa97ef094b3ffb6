-- +goose Up
-- Devices that ask for their commands over HTTP, and when they last did; to the
-- hour.
CREATE TABLE command_poll(device TEXT PRIMARY KEY, at INTEGER NOT NULL);

-- +goose Down
DROP TABLE command_poll;
