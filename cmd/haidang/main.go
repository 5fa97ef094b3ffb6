// Command haidang is the operations centre: serve runs it for real, demo shows
// a living province on this machine, check reads a configuration, decode shows
// what a payload would become, journal prints what was kept, ca makes an
// authority of devices' certificates, broker-config writes the files of a
// mosquitto, users makes accounts of people, token a credential of a program,
// verify walks the audit log and the vessel tracks, retention says what would be
// removed past its time.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"haidang/ingest/formats"
)

// version is set by the linker for releases.
var version = "0.1.0-dev"

type cli struct {
	Demo         demoCmd         `cmd:"" help:"Show a living province on this machine: nothing to install, nothing to configure, loopback only."`
	Serve        serveCmd        `cmd:"" help:"Run the operations centre."`
	Check        checkCmd        `cmd:"" help:"Read a configuration and say what is wrong with it."`
	Decode       decodeCmd       `cmd:"" help:"Show what a payload in a foreign format would become, or why not."`
	Journal      journalCmd      `cmd:"" help:"Print a device's readings from the journal, a line of JSON each."`
	CA           caCmd           `cmd:"" help:"The authority of devices' certificates."`
	BrokerConfig brokerConfigCmd `cmd:"" help:"Write the password and access files of a mosquitto from the registry of devices."`
	Token        tokenCmd        `cmd:"" help:"Make a token for a program, with the line for the configuration."`
	Users        usersCmd        `cmd:"" help:"Make, list, change and reset the accounts of people."`
	Verify       verifyCmd       `cmd:"" help:"Walk the audit log and the vessel tracks, and say what was changed or taken out."`
	Retention    retentionCmd    `cmd:"" help:"Say what the nightly retention run would remove now; it removes nothing. Of a running program: GET /api/v1/retention/plan."`
	Version      struct{}        `cmd:"" help:"Print the version."`
	Verbose      bool            `short:"v" help:"Log more."`
}

// gcPercent has less of a modest server's memory stand idle than Go's 100
// would: 25 MB less with 10,000 devices, at no CPU that can be measured. GOGC
// overrides it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var c cli
	k := kong.Parse(&c, kong.Name("haidang"), kong.Description("Hải Đăng: the operations centre a province can run itself."), kong.UsageOnError(), kong.Vars{"formats": strings.Join(formats.Names(), ", ")})
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch name, _, _ := strings.Cut(k.Command(), " "); name {
	case "demo":
		err = c.Demo.run(ctx, os.Stdout, log)
	case "serve":
		err = c.Serve.run(ctx, os.Stdout, log)
	case "check":
		err = c.Check.run(ctx, os.Stdout)
	case "decode":
		err = c.Decode.run(os.Stdout)
	case "journal":
		err = c.Journal.run(ctx, os.Stdout)
	case "ca":
		err = c.CA.run(ctx, k.Command(), os.Stdout, log)
	case "broker-config":
		err = c.BrokerConfig.run(ctx, os.Stdout, log)
	case "token":
		err = c.Token.run()
	case "users":
		err = c.Users.run(ctx, k.Command(), os.Stdout)
	case "retention":
		err = c.Retention.run(ctx, os.Stdout)
	case "verify":
		err = c.Verify.run(ctx, os.Stdout)
	default:
		fmt.Println("haidang", version)
	}
	if isDiskFull(err) {
		err = fmt.Errorf("the disk is full: %w", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "haidang:", err)
		os.Exit(1)
	}
}

type tokenCmd struct {
	Name string `arg:"" help:"Who it is for."`
	Role string `default:"operator" enum:"viewer,crew,operator,shift_lead,officer,integrator,admin,auditor" help:"What it may do: ${enum}."`
}

func (t *tokenCmd) run() error {
	secret := rand.Text()
	sum := sha256.Sum256([]byte(secret))
	fmt.Printf("# The token, shown this once; give it to %s:\n#   %s\n# For the configuration file:\n[[tokens]]\nname = %q\nrole = %q\nsha256 = %q\n", t.Name, secret, t.Name, t.Role, hex.EncodeToString(sum[:]))
	return nil
}
