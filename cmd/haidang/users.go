package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"haidang/devices/audit"
	"haidang/devices/people"
	"haidang/devices/statedb"
)

// usersCmd makes and changes accounts where there is no page yet to do it on:
// the first administrator, one who lost everything. It works beside a running
// program, which sees the change at the next request.
type usersCmd struct {
	Data string `default:"data" help:"The data folder." type:"path"`

	Add struct {
		Name     string   `arg:"" help:"What they sign in with."`
		Admin    bool     `help:"An administrator; the same as --role admin."`
		Role     []string `help:"A role, or ROLE@AREA for one area; may be given several times."`
		Crew     string   `help:"The only crew that they act for."`
		FullName string   `help:"Their name."`
	} `cmd:"" help:"Make an account; prints a password for the first sign-in."`
	List    struct{} `cmd:"" help:"List accounts."`
	Disable struct {
		Name string `arg:""`
	} `cmd:"" help:"Let an account in no more; ends its sessions."`
	Enable struct {
		Name string `arg:""`
	} `cmd:"" help:"Let a disabled account in again."`
	Reset struct {
		Name string `arg:""`
	} `cmd:"" help:"Give an account a new password, without second factor; prints it."`
	Roles struct {
		Name string   `arg:""`
		Role []string `arg:"" optional:"" help:"The roles it has from now on, ROLE or ROLE@AREA; none: show them."`
	} `cmd:"" help:"Show or set the roles of an account."`
}

func (u *usersCmd) run(ctx context.Context, command string, out io.Writer) error {
	verb := strings.Fields(command)[1]
	if verb == "add" { // it may be before the first start
		if err := os.MkdirAll(u.Data, 0o750); err != nil {
			return fmt.Errorf("create data folder: %w", err)
		}
	} else if _, err := os.Stat(filepath.Join(u.Data, "state.db")); err != nil {
		return fmt.Errorf("there is no data in %s; name the folder of haidang serve with --data", u.Data)
	}
	db, err := statedb.Open(filepath.Join(u.Data, "state.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	trail, err := audit.Open(ctx, db)
	if err != nil {
		return err
	}
	store, err := people.Open(ctx, db, trail, people.Options{})
	if err != nil {
		return err
	}
	ctx = audit.As(ctx, audit.Actor{Who: "system", Role: "command line", Address: "this machine", Why: "haidang users " + verb + " by " + systemUser()})
	switch verb {
	case "add":
		return u.add(ctx, store, out)
	case "disable":
		return disable(ctx, store, out, u.Disable.Name, true)
	case "enable":
		return disable(ctx, store, out, u.Enable.Name, false)
	case "reset":
		password, err := store.Reset(ctx, u.Reset.Name)
		if err == nil {
			showPassword(out, u.Reset.Name, password)
		}
		return err
	case "roles":
		return u.roles(ctx, store, out)
	}
	return list(ctx, store, out)
}

// systemUser is who runs the command, as the system knows them.
func systemUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "?"
}

func (u *usersCmd) add(ctx context.Context, store *people.Store, out io.Writer) error {
	roles := u.Add.Role
	if u.Add.Admin {
		roles = append(roles, "admin")
	}
	if len(roles) == 0 {
		return errors.New("say what the account may do: --admin, or --role ROLE; haidang users add --help says more")
	}
	a, password, err := store.Create(ctx, people.Account{Name: u.Add.Name, FullName: u.Add.FullName, Crew: u.Add.Crew, Grants: grants(roles)})
	if err != nil {
		return err
	}
	showPassword(out, a.Name, password)
	return nil
}

func showPassword(out io.Writer, name, password string) {
	fmt.Fprintf(out, "Name:     %s\nPassword: %s\nShown this once. It must be changed at the first sign-in.\n", name, password)
}

// grants reads ROLE and ROLE@AREA.
func grants(roles []string) (gs []people.Grant) {
	for _, r := range roles {
		role, area, _ := strings.Cut(r, "@")
		gs = append(gs, people.Grant{Role: role, Area: area})
	}
	return gs
}

func list(ctx context.Context, store *people.Store, out io.Writer) error {
	for after := ""; ; {
		as, next, err := store.List(ctx, after, 100)
		if err != nil {
			return err
		}
		for _, a := range as {
			fmt.Fprintln(out, line(a))
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// line is an account in one line.
func line(a people.Account) string {
	var has []string
	for _, g := range a.Grants {
		role := g.Role
		if g.Area != "" {
			role += "@" + g.Area
		}
		if len(g.Categories) > 0 {
			role += "(" + strings.Join(g.Categories, ",") + ")"
		}
		has = append(has, role)
	}
	s := fmt.Sprintf("%-24s %s", a.Name, strings.Join(has, " "))
	for what, is := range map[string]bool{"disabled": a.Disabled, "must change its password": a.MustChange && !a.Disabled} {
		if is {
			s += "  [" + what + "]"
		}
	}
	return s
}

func disable(ctx context.Context, store *people.Store, out io.Writer, name string, disabled bool) error {
	a, err := store.Get(ctx, name)
	if err != nil {
		return err
	}
	a.Disabled = disabled
	if a, err = store.Update(ctx, a); err != nil {
		return err
	}
	fmt.Fprintln(out, line(a))
	return nil
}

func (u *usersCmd) roles(ctx context.Context, store *people.Store, out io.Writer) error {
	a, err := store.Get(ctx, u.Roles.Name)
	if err != nil {
		return err
	}
	if len(u.Roles.Role) > 0 {
		a.Grants = grants(u.Roles.Role)
		if a, err = store.Update(ctx, a); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, line(a))
	return nil
}

// shippedRoles are the ids of the roles that ship.
func shippedRoles() (ids []string) {
	rs, err := people.ShippedRoles()
	if err != nil {
		panic(err) // they are embedded, and tested
	}
	for _, r := range rs {
		ids = append(ids, r.ID)
	}
	return ids
}

// someoneCanEnter says what to do when nobody could sign in.
func (a *app) someoneCanEnter(ctx context.Context) error {
	if a.open || len(a.cfg.Tokens) > 0 || a.cfg.OIDC.Issuer != "" {
		return nil
	}
	n, err := a.people.Count(ctx)
	if err == nil && n == 0 {
		err = fmt.Errorf("there are neither accounts nor tokens: nobody could sign in; make an administrator with: haidang users add --admin NAME --data %s", a.cfg.Data)
	}
	return err
}
