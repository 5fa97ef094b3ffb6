-- +goose Up
-- INSERT OR REPLACE takes a row out without asking the trigger on deletes. It is ROLLBACK, as the log's own inserts
-- are: what may abort alone has SQLite copy each page that it writes, and a table of devices took four times as long.
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS(SELECT 1 FROM audit WHERE seq = new.seq) BEGIN SELECT RAISE(ROLLBACK, 'the audit log is never changed'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_no_replace;
