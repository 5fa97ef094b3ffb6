-- +goose Up
ALTER TABLE account ADD COLUMN subject TEXT; -- the identity provider and its name for them; NULL: has a password here
CREATE UNIQUE INDEX account_subject ON account(subject) WHERE subject IS NOT NULL;

-- +goose Down
DROP INDEX account_subject;
ALTER TABLE account DROP COLUMN subject;
