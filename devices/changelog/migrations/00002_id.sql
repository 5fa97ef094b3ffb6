-- +goose Up
-- What is taken out of an item is taken out of its earlier changes, while the
-- write lock is held.
CREATE INDEX change_id ON change(channel, id);

-- +goose Down
DROP INDEX change_id;
