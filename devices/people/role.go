package people

import (
	"bytes"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"haidang/devices"
	"haidang/devices/audit"
)

//go:embed roles.yaml
var rolesYAML []byte

// Name is a label in both languages.
type Name = devices.Name

// Role is a set of actions under a name.
type Role struct {
	ID      string   `json:"id" yaml:"id"`
	Name    Name     `json:"name" yaml:"name"`
	Actions []Action `json:"actions" yaml:"actions"`
	// Shipped roles come with the program and cannot be changed.
	Shipped bool `json:"shipped" yaml:"-"`
}

// ShippedRoles are those that come with the program.
func ShippedRoles() ([]Role, error) {
	var rs []Role
	if err := yaml.NewDecoder(bytes.NewReader(rolesYAML), yaml.Strict()).Decode(&rs); err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	for i := range rs {
		rs[i].Shipped = true
		if err := rs[i].check(); err != nil {
			return nil, fmt.Errorf("role %s: %w", rs[i].ID, err)
		}
	}
	return rs, nil
}

var roleForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)

func (r *Role) check() error {
	r.Name.VI, r.Name.EN = strings.TrimSpace(r.Name.VI), strings.TrimSpace(r.Name.EN)
	switch {
	case !roleForm.MatchString(r.ID):
		return &devices.FieldError{Field: "id", Reason: fmt.Sprintf("%.60q is no id of a role: 2 to 40 small letters, digits or _, beginning with a letter", r.ID)}
	case r.Name.VI == "" || len(r.Name.VI) > 100 || len(r.Name.EN) > 100:
		return &devices.FieldError{Field: "name", Reason: "a role needs a name in Vietnamese, of at most 100 bytes"}
	case len(r.Actions) == 0:
		return &devices.FieldError{Field: "actions", Reason: "a role without actions may do nothing; name at least one"}
	}
	for _, a := range r.Actions {
		if !slices.Contains(Actions, a) {
			return &devices.FieldError{Field: "actions", Reason: fmt.Sprintf("%.60q is no action; these are: %v", a, Actions)}
		}
	}
	return nil
}

// Roles lists the shipped roles and then the province's own.
func (s *Store) Roles() []Role {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.roles)
}

// Role finds a role by id.
func (s *Store) Role(id string) (Role, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.roles, func(r Role) bool { return r.ID == id })
	if i < 0 {
		return Role{}, false
	}
	return s.roles[i], true
}

// PutRole makes or changes a role of the province's own. What it may do holds
// for the next request of everybody who has it, and their sessions end. A
// shipped role is devices.ErrConflict.
func (s *Store) PutRole(ctx context.Context, r Role) (Role, error) {
	r.Shipped = false
	if err := r.check(); err != nil {
		return r, err
	}
	old, known := s.Role(r.ID)
	if old.Shipped {
		return r, fmt.Errorf("the role %s ships with the program; make one of another name: %w", r.ID, devices.ErrConflict)
	}
	actions, _ := json.Marshal(r.Actions)
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO people_role(id,name_vi,name_en,actions) VALUES(?,?,?,?)
			ON CONFLICT(id) DO UPDATE SET name_vi=excluded.name_vi, name_en=excluded.name_en, actions=excluded.actions`, r.ID, r.Name.VI, r.Name.EN, string(actions))
		if err != nil {
			return err
		}
		e := audit.Entry{Action: "role.create", Kind: "role", ID: r.ID, After: asJSON(r)}
		if known {
			e.Action, e.Before = "role.update", asJSON(old)
			if err := endSessions(ctx, tx, `account IN (SELECT account.key FROM account, json_each(account.grants) WHERE json_extract(json_each.value,'$.role') = ?)`, r.ID); err != nil {
				return err
			}
		}
		return s.audit.Append(ctx, tx, e)
	})
	if err != nil {
		return r, fmt.Errorf("keep role: %w", err)
	}
	return r, s.loadRoles(ctx)
}

// DeleteRole removes a role of the province's own that no account has.
func (s *Store) DeleteRole(ctx context.Context, id string) error {
	old, known := s.Role(id)
	switch {
	case !known:
		return fmt.Errorf("role %.60s: %w", id, devices.ErrNotFound)
	case old.Shipped:
		return fmt.Errorf("the role %s ships with the program: %w", id, devices.ErrConflict)
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		var holders int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM account, json_each(account.grants) WHERE json_extract(json_each.value,'$.role') = ?`, id).Scan(&holders)
		if err != nil {
			return err
		}
		if holders > 0 {
			return fmt.Errorf("%d accounts have the role %s; give them another first: %w", holders, id, devices.ErrConflict)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM people_role WHERE id = ?`, id); err != nil {
			return err
		}
		return s.audit.Append(ctx, tx, audit.Entry{Action: "role.delete", Kind: "role", ID: id, Before: asJSON(old)})
	})
	if err != nil {
		return fmt.Errorf("delete role: %w", err)
	}
	return s.loadRoles(ctx)
}

// loadRoles reads the province's own roles beside the shipped ones.
func (s *Store) loadRoles(ctx context.Context) error {
	rs, err := ShippedRoles()
	if err != nil {
		return err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id,name_vi,name_en,actions FROM people_role ORDER BY id`)
	if err != nil {
		return fmt.Errorf("load roles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Role
		var actions string
		if err := rows.Scan(&r.ID, &r.Name.VI, &r.Name.EN, &actions); err != nil {
			return fmt.Errorf("load roles: %w", err)
		}
		if err := json.Unmarshal([]byte(actions), &r.Actions); err != nil {
			return fmt.Errorf("load role %s: %w", r.ID, err)
		}
		rs = append(rs, r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load roles: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles = rs
	return nil
}

func asJSON(v any) json.RawMessage {
	b, _ := json.Marshal(v) // what is given here always can be
	return b
}
