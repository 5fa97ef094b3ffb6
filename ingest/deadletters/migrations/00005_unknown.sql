-- Ids are one without regard to case, and who speaks without being known is
-- listed: from this index alone.

-- +goose Up
DROP INDEX dead_letter_device;
CREATE INDEX dead_letter_device ON dead_letter(device COLLATE NOCASE, id);
CREATE INDEX dead_letter_unknown ON dead_letter(device COLLATE NOCASE, received_at) WHERE code = 'device_unknown' AND status = 'new' AND device <> '';

-- +goose Down
DROP INDEX dead_letter_unknown;
DROP INDEX dead_letter_device;
CREATE INDEX dead_letter_device ON dead_letter(device, id);
