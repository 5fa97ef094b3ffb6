package main

import (
	"context"
	"fmt"
	"io"
)

type checkCmd struct {
	Config   string `arg:"" optional:"" help:"The configuration file; without one, defaults and the environment." type:"path"`
	Security bool   `help:"Say what is weak in it, in the files that it names and in its data; ends with status 1 when something is critical or high."`
	Data     string `help:"With --security: the data folder, in place of the configuration's." type:"path"`
	JSON     bool   `name:"json" help:"With --security: for programs."`
}

func (k *checkCmd) run(ctx context.Context, out io.Writer) error {
	c, err := LoadConfig(k.Config)
	if err != nil {
		return err
	}
	if k.Security {
		if k.Data != "" {
			c.Data = k.Data
		}
		return checkSecurity(ctx, c, k.Config, k.JSON, out)
	}
	if err := c.Check(); err != nil {
		return err
	}
	if k.Config == "" {
		k.Config = "the configuration"
	}
	fmt.Fprintln(out, k.Config, "is in order")
	return nil
}
