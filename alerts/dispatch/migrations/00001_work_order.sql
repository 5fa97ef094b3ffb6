-- +goose Up
CREATE TABLE work_order(
	id TEXT PRIMARY KEY,
	client_id TEXT UNIQUE,
	crew TEXT NOT NULL,
	state TEXT NOT NULL,
	updated_at INTEGER NOT NULL,
	body TEXT NOT NULL -- the work order as JSON
);
CREATE INDEX work_order_crew ON work_order(crew, state);
CREATE TABLE work_order_event(client_event_id TEXT PRIMARY KEY, work_order TEXT NOT NULL);
CREATE TABLE crew_position(crew TEXT PRIMARY KEY, lat REAL NOT NULL, lon REAL NOT NULL, at INTEGER NOT NULL);

-- +goose Down
DROP TABLE work_order;
DROP TABLE work_order_event;
DROP TABLE crew_position;
