-- +goose Up
-- INSERT OR REPLACE takes a row out without asking the trigger on deletes.
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS(SELECT 1 FROM audit WHERE seq = new.seq) BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_no_replace;
