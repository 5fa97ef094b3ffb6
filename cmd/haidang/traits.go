package main

import (
	"context"
	"database/sql"

	"haidang/devices"
	"haidang/devices/commands"
	"haidang/devices/health"
)

// expectation is what was declared of a device by its id.
func (a *app) expectation(id devices.ID) health.Expectation {
	d, ok := a.registry.Get(id)
	if !ok {
		return health.Expectation{}
	}
	return health.Expect(a.registry, d)
}

// keepHealth keeps silences that ended, and when devices could be heard.
func (a *app) keepHealth(ctx context.Context) error {
	k := health.Keeper{Store: a.health, Heard: a.tracker, Listening: func() bool { return a.ready() == nil }, Log: a.log}
	return k.Run(ctx)
}

func (a *app) buildCommands(ctx context.Context, db *sql.DB) (err error) {
	a.commands, err = commands.New(ctx, commands.Options{DB: db, Audit: a.audit, Changes: a.changes, Registry: a.registry, Log: a.log,
		Online: func(id devices.ID) bool { return a.tracker.Connection(id) == "online" },
		Publish: func(ctx context.Context, topic string, retained bool, payload []byte) error {
			return a.source.Send(ctx, topic, retained, payload)
		}})
	return err
}
