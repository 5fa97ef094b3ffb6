-- +goose Up
UPDATE report SET search = ''; -- made anew, without what tells a person

-- +goose Down
UPDATE report SET search = '';
