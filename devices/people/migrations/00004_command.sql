-- +goose Up
-- To tell devices what to do became an action of its own: who had it as part of
-- device.manage keeps it.
UPDATE people_role SET actions = json_insert(actions, '$[#]', 'device.command')
	WHERE EXISTS (SELECT 1 FROM json_each(actions) WHERE value = 'device.manage') AND NOT EXISTS (SELECT 1 FROM json_each(actions) WHERE value = 'device.command');
UPDATE api_token SET actions = json_insert(actions, '$[#]', 'device.command')
	WHERE EXISTS (SELECT 1 FROM json_each(actions) WHERE value = 'device.manage') AND NOT EXISTS (SELECT 1 FROM json_each(actions) WHERE value = 'device.command');

-- +goose Down
UPDATE people_role SET actions = (SELECT json_group_array(value) FROM json_each(actions) WHERE value <> 'device.command');
UPDATE api_token SET actions = (SELECT json_group_array(value) FROM json_each(actions) WHERE value <> 'device.command');
