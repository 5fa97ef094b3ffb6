-- +goose Up
ALTER TABLE dead_letter ADD COLUMN format TEXT NOT NULL DEFAULT ''; -- the decoder's name; '' is the native form
CREATE INDEX dead_letter_new ON dead_letter(id) WHERE status = 'new';

-- +goose Down
DROP INDEX dead_letter_new;
ALTER TABLE dead_letter DROP COLUMN format;
