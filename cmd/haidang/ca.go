package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"haidang/devices/credentials"
)

type caCmd struct {
	Init caInitCmd `cmd:"" help:"Make an authority that signs devices' certificates."`
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
