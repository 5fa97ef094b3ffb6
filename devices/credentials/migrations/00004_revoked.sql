-- +goose Up
-- What the command line revoked is looked for each half second.
CREATE INDEX certificate_revoked ON certificate(revoked_at) WHERE revoked_at<>0;

-- +goose Down
DROP INDEX certificate_revoked;
