package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"haidang/devices/credentials"
	"haidang/devices/people"
	"haidang/devices/retention"
	"haidang/devices/statedb"
)

// data looks at accounts and at what devices sign in with. It reads the database
// beside a running program, and changes nothing.
func (s *survey) data(ctx context.Context) {
	path := filepath.Join(s.cfg.Data, "state.db")
	if _, err := os.Stat(path); err != nil {
		s.unseen("accounts and devices: there is no data in %s; name the folder with --data", s.cfg.Data)
		return
	}
	db, err := statedb.OpenToRead(path)
	if err != nil {
		s.unseen("accounts and devices: %v", err)
		return
	}
	defer db.Close()
	p, err := people.Look(ctx, db, s.now)
	if err != nil {
		s.unseen("accounts: %v (of another version? start it once with this one)", err)
	} else {
		s.people(p)
	}
	c, err := credentials.Look(ctx, db, s.now)
	if err != nil {
		s.unseen("devices: %v (of another version? start it once with this one)", err)
	} else {
		s.devices(c)
	}
	forever, err := retention.Look(ctx, db)
	if err != nil {
		s.unseen("how long things are kept: %v", err)
	} else if len(forever) > 0 {
		s.find(finding{Severity: medium, ID: "personal-for-ever", Where: "retention classes", What: fmt.Sprintf("What tells a person is kept for ever: %s.", strings.Join(forever, ", ")),
			Why: "Law 91/2025/QH15 lets it be kept only as long as it is needed, and what is gone cannot be stolen.", Do: "Give these classes a time: in the console, or PUT /api/v1/retention/classes/ID."})
	}
}

func (s *survey) people(p people.Weaknesses) {
	if p.Accounts == 0 && s.cfg.OIDC.Issuer == "" {
		f := finding{Severity: medium, ID: "no-accounts", Where: "accounts", What: "There are no accounts: people would share the tokens of the configuration.",
			Why: "The audit log then does not know who did what.", Do: "haidang users add --admin NAME"}
		if len(s.cfg.Tokens) == 0 {
			f.Severity, f.What, f.Why = low, "There are neither accounts nor tokens: nobody can sign in.", "The program does not start so."
		}
		s.find(f)
	}
	if n := len(p.AdminsByPassword); n > 0 {
		s.find(finding{Severity: high, ID: "admin-no-factor", Where: "accounts", What: fmt.Sprintf("%s may manage people with a password alone.", named(p.AdminsByPassword)),
			Why: "Whoever learns that password may do everything, and make themselves others.", Do: "Have them take a second factor: /tai-khoan."})
	}
	if len(p.FirstPasswords) > 0 {
		s.find(finding{Severity: medium, ID: "first-password", Where: "accounts", What: fmt.Sprintf("%s did not sign in with the password that was given a week ago or more.", named(p.FirstPasswords)),
			Why: "It lies in somebody's message or drawer; whoever finds it first chooses the next one.", Do: "haidang users disable NAME, and reset when they come."})
	}
	if len(p.LongUnused) > 0 {
		s.find(finding{Severity: low, ID: "account-unused", Where: "accounts", What: fmt.Sprintf("%s did not sign in for half a year.", named(p.LongUnused)),
			Why: "Who left keeps their way in.", Do: "haidang users disable NAME"})
	}
}

func (s *survey) devices(c credentials.Weaknesses) {
	if n := len(c.OpenKeys); n > 0 {
		s.find(finding{Severity: high, ID: "provisioning-open", Where: "provisioning keys", What: fmt.Sprintf("%s end at no day and at no number of devices.", named(c.OpenKeys)),
			Why: "Who reads it out of one device registers as many as they like, for ever.", Do: "Disable it, and make one with limit and not_after."})
	}
	if n := len(c.HalfOpenKeys); n > 0 {
		s.find(finding{Severity: medium, ID: "provisioning-unbounded", Where: "provisioning keys", What: fmt.Sprintf("%s end at no day, or at no number of devices.", named(c.HalfOpenKeys)),
			Why: "Who reads it out of one device registers others with it.", Do: "Disable it, and make one with both limit and not_after."})
	}
	if c.Without > 0 {
		s.find(finding{Severity: low, ID: "device-no-credential", Where: "devices", What: fmt.Sprintf("%d devices in service have nothing to sign in with.", c.Without),
			Why: "What they say comes by a gateway, a feed or a broker that does not know them.", Do: "Give them secrets (POST /api/v1/devices/ID/credentials), or retire them."})
	}
	if c.Unrotated > 0 {
		s.find(finding{Severity: medium, ID: "secret-old", Where: "devices", What: fmt.Sprintf("%d secrets of devices are older than two years.", c.Unrotated),
			Why: "What leaked in that time still opens.", Do: "Give a second one, change the device, revoke the first: no reading is lost."})
	}
	if c.Endless > 0 {
		s.find(finding{Severity: low, ID: "secret-endless", Where: "devices", What: fmt.Sprintf("%d secrets of devices end at no day.", c.Endless),
			Why: "A stolen sensor's goes on until somebody notices.", Do: "Say not_after when they are made."})
	}
	if c.OldHashes > 0 {
		s.find(finding{Severity: medium, ID: "secret-old-hash", Where: "devices", What: fmt.Sprintf("%d secrets of devices are still kept as an earlier version did (SHA-256).", c.OldHashes),
			Why: "Those that people chose can be guessed from the database.", Do: "They are kept anew when the device signs in; give others a new one."})
	}
}

// named is names in a sentence, not more than five.
func named(names []string) string {
	if n := len(names); n > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), n-5)
	}
	return strings.Join(names, ", ")
}
