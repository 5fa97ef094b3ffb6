-- +goose Up
CREATE TABLE audit(
	seq INTEGER PRIMARY KEY, -- 1, 2, 3, … without gaps
	at INTEGER NOT NULL, -- ms since 1970 UTC
	who TEXT NOT NULL,
	role TEXT NOT NULL,
	address TEXT NOT NULL,
	action TEXT NOT NULL,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	before TEXT NOT NULL,
	after TEXT NOT NULL,
	why TEXT NOT NULL,
	hash BLOB NOT NULL -- of the row before and of this one
);
CREATE INDEX audit_kind ON audit(kind, id, seq);
CREATE INDEX audit_who ON audit(who, seq);
CREATE INDEX audit_at ON audit(at);
-- Nothing of ours changes a row; these stop a mistake, the chain shows the rest.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
