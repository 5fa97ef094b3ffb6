package people

import (
	"slices"
	"testing"

	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

// Roles and tokens from before commands were an action of their own may go on
// commanding, if they might manage devices.
func TestUpgradeKeepsWhoMayCommand(t *testing.T) {
	db := statedbtest.Open(t)
	statedbtest.Migrate(t, db, "people_version", "00001_people.sql", "00002_shift.sql", "00003_subject.sql")
	for _, q := range []string{
		`INSERT INTO people_role VALUES('desk','Bàn','Desk','["device.read","device.manage"]'), ('eyes','Mắt','Eyes','["device.read"]')`,
		`INSERT INTO account VALUES('lan','lan','','','[{"role":"desk"}]','',0,0,'',0,0,0,NULL)`,
		`INSERT INTO api_token VALUES('t1',x'01','lan','bảng','["device.manage"]',0,9999999999999,0), ('t2',x'02','lan','xem','["device.read"]',0,9999999999999,0)`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	log, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), db, log, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"desk": true, "eyes": false} {
		if r, ok := s.Role(id); !ok || slices.Contains(r.Actions, DeviceCommand) != want {
			t.Errorf("role %s: %+v", id, r)
		}
	}
	ts, err := s.Tokens(t.Context(), "lan")
	if err != nil || len(ts) != 2 {
		t.Fatalf("%+v %v", ts, err)
	}
	for _, x := range ts {
		if slices.Contains(x.Actions, DeviceCommand) != (x.ID == "t1") {
			t.Errorf("token %+v", x)
		}
	}
}
