package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"haidang/devices/retention"
)

// retentionCmd is the dry run of a program that is stopped.
type retentionCmd struct {
	Config string `help:"The configuration file." type:"path"`
	Data   string `help:"The data folder; the program that uses it must be stopped." type:"path"`
	JSON   bool   `name:"json" help:"As JSON."`
}

func (k *retentionCmd) run(ctx context.Context, out io.Writer) (err error) {
	cfg, err := LoadConfig(k.Config)
	if err != nil {
		return err
	}
	if k.Data != "" {
		cfg.Data = k.Data
	}
	// No port is wanted, nobody is let in, and nothing runs.
	cfg.HTTP, cfg.MQTT, cfg.MQTTWebsocket = "127.0.0.1:0", "127.0.0.1:0", ""
	a, err := build(ctx, cfg, true, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() {
		if e := a.stop.unwind(); err == nil {
			err = e
		}
	}()
	r, err := a.nightly.Plan(ctx)
	if err != nil {
		return err
	}
	if k.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return printPlan(out, &r)
}

func printPlan(out io.Writer, r *retention.Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "class\tkeep\twould go\tof\toldest\tnewest\tbytes")
	for _, it := range r.Items {
		keep := it.Keep.String()
		if keep == "" {
			keep = "for ever"
		}
		if len(it.Would) == 0 {
			fmt.Fprintf(w, "%s\t%s\t0\t\t\t\t\n", it.Class, keep)
		}
		for _, l := range it.Would {
			what, oldest, newest := l.What, "", ""
			if l.Type != "" {
				what += " of " + l.Type
			}
			if l.Oldest != nil {
				oldest, newest = l.Oldest.In(retention.Zone).Format("2006-01-02 15:04"), l.Newest.In(retention.Zone).Format("2006-01-02 15:04")
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%d\n", it.Class, keep, l.Count, what, oldest, newest, l.Bytes)
		}
		if it.Note != "" {
			fmt.Fprintf(w, "%s\t\t\twaits: %s\t\t\t\n", it.Class, it.Note)
		}
	}
	return w.Flush()
}
