package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"haidang/devices/audit"
	"haidang/devices/credentials"
)

type caCmd struct {
	Init   caInitCmd   `cmd:"" help:"Make an authority that signs devices' certificates."`
	Issue  caIssueCmd  `cmd:"" help:"Make a key and a certificate for a device, or sign its own request."`
	List   caListCmd   `cmd:"" help:"List a device's certificates."`
	Revoke caRevokeCmd `cmd:"" help:"End a device's certificates; a running program closes its session at once."`
}

func (c *caCmd) run(ctx context.Context, command string, out io.Writer, log *slog.Logger) error {
	verb := strings.Fields(command)[1]
	ctx = audit.As(ctx, audit.Actor{Who: "system", Role: "command line", Address: "this machine", Why: "haidang ca " + verb + " by " + systemUser()})
	switch verb {
	case "issue":
		return c.Issue.run(ctx, out, log)
	case "list":
		return c.List.run(ctx, out, log)
	case "revoke":
		return c.Revoke.run(ctx, out, log)
	}
	return c.Init.run(out)
}

type caInitCmd struct {
	Dir   string `arg:"" help:"The folder for ca.crt and ca.key; keep the key as you would every device's secret." type:"path"`
	Name  string `default:"Hải Đăng devices" help:"The authority's name in certificates."`
	Years int    `default:"20" help:"How long it is good for."`
}

func (c *caInitCmd) run(out io.Writer) error {
	if c.Years < 1 || c.Years > 100 {
		return fmt.Errorf("--years is %d; it must be from 1 to 100", c.Years)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if err := credentials.CreateAuthority(c.Dir, c.Name, c.Years); err != nil {
		return err
	}
	fmt.Fprintf(out, "# For the configuration file, beside cert and key:\n[tls]\nclient_ca = %q\nclient_ca_key = %q\n",
		filepath.Join(c.Dir, credentials.AuthorityCert), filepath.Join(c.Dir, credentials.AuthorityKey))
	return nil
}
