-- +goose Up
CREATE TABLE people_role(
	id TEXT PRIMARY KEY,
	name_vi TEXT NOT NULL,
	name_en TEXT NOT NULL,
	actions TEXT NOT NULL -- JSON array
);
CREATE TABLE account(
	key TEXT PRIMARY KEY,  -- the name in small letters
	name TEXT NOT NULL,    -- as it signs in
	full_name TEXT NOT NULL,
	crew TEXT NOT NULL,
	grants TEXT NOT NULL,  -- JSON array of role, area, categories
	password TEXT NOT NULL, -- argon2id, PHC form; empty: cannot sign in by password
	must_change INTEGER NOT NULL,
	disabled INTEGER NOT NULL,
	totp_secret TEXT NOT NULL, -- base32; empty: no second factor
	totp_step INTEGER NOT NULL, -- the newest step that was used
	created_at INTEGER NOT NULL, -- all times: ms since 1970 UTC
	signed_in_at INTEGER NOT NULL
);
CREATE TABLE recovery_code(
	account TEXT NOT NULL REFERENCES account(key),
	hash BLOB NOT NULL,
	PRIMARY KEY(account, hash)
);
CREATE TABLE session(
	hash BLOB PRIMARY KEY, -- SHA-256 of what the cookie holds
	id TEXT NOT NULL UNIQUE,
	account TEXT NOT NULL, -- empty: by a token of the configuration
	token TEXT NOT NULL,   -- that token's SHA-256, hex
	address TEXT NOT NULL,
	agent TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL
);
CREATE INDEX session_account ON session(account);
CREATE TABLE api_token(
	id TEXT PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE,
	account TEXT NOT NULL REFERENCES account(key),
	name TEXT NOT NULL,
	actions TEXT NOT NULL, -- JSON array
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at INTEGER NOT NULL
);
CREATE INDEX api_token_account ON api_token(account);

-- +goose Down
DROP TABLE api_token;
DROP TABLE session;
DROP TABLE recovery_code;
DROP TABLE account;
DROP TABLE people_role;
