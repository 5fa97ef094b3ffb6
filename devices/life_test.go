package devices_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/statedb/statedbtest"
)

// openAudited gives a registry and the audit log of what it does.
func openAudited(t *testing.T) (*devices.Registry, *audit.Log) {
	t.Helper()
	db := statedbtest.Open(t)
	r, err := devices.NewRegistry(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return r, l
}

// Every step between two lives is tried.
func TestLifeTakesAllowedStepsAlone(t *testing.T) {
	allowed := map[devices.Life][]devices.Life{
		devices.Pending: {devices.Active, devices.Retired}, devices.Active: {devices.Suspended, devices.Retired},
		devices.Suspended: {devices.Active, devices.Retired}, devices.Retired: {devices.Active},
	}
	r, _ := openAudited(t)
	for _, from := range devices.Lives() {
		for _, to := range append(devices.Lives(), devices.Discovered, "scrapped") {
			id := devices.ID(string(from) + "-" + string(to))
			if _, err := r.Create(t.Context(), devices.Device{ID: id, Type: "generic", Life: from}); err != nil {
				t.Fatal(err)
			}
			d, err := r.SetLife(t.Context(), id, to, "thử các bước")
			switch {
			case from == to || slices.Contains(allowed[from], to):
				if err != nil || d.Life != to {
					t.Errorf("%s → %s: %v", from, to, err)
				}
			case !slices.Contains(devices.Lives(), to):
				if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "life" {
					t.Errorf("%s → %s: %v", from, to, err)
				}
			default:
				if got, _ := r.Get(id); !errors.Is(err, devices.ErrConflict) || got.Life != from {
					t.Errorf("%s → %s: %v, it is %s", from, to, err, got.Life)
				}
			}
		}
	}
}

func TestLifeWantsAReasonAndIsRecorded(t *testing.T) {
	r, l := openAudited(t)
	if _, err := r.Create(t.Context(), devices.Device{ID: "Cam-1", Type: "traffic_camera"}); err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"", "  ", "ừ", "hai\ndòng", "\xff\xff\xff"} {
		if _, err := r.SetLife(t.Context(), "cam-1", devices.Suspended, reason); err == nil {
			t.Errorf("took the reason %q", reason)
		}
	}
	lan := audit.As(t.Context(), audit.Actor{Who: "lan", Role: "operator", Address: "192.0.2.1"})
	for _, id := range []devices.ID{"cam-1", "CAM-1"} { // the second changes nothing
		if _, err := r.SetLife(lan, id, devices.Suspended, "  Đang sửa\u0301 chữa "); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.SetLife(t.Context(), "nobody", devices.Active, "thử xem"); !errors.Is(err, devices.ErrNotFound) {
		t.Error(err)
	}
	d, _ := r.Get("cam-1")
	es, err := l.List(t.Context(), audit.Filter{Kind: "device", ID: "Cam-1", Action: "device.life"})
	if err != nil || len(es) != 1 || es[0].Who != "lan" || es[0].Address != "192.0.2.1" || es[0].Why != d.LifeReason || d.LifeReason != "Đang sửá chữa" {
		t.Errorf("recorded %+v, %v; the device says %q", es, err, d.LifeReason)
	}
	if len(es) == 1 && (string(es[0].Before) == string(es[0].After) || len(es[0].Before) == 0) {
		t.Errorf("recorded %s → %s", es[0].Before, es[0].After)
	}
	if _, err := l.Verify(t.Context(), 0, nil); err != nil {
		t.Error(err)
	}
}

func TestApprove(t *testing.T) {
	r, l := openAudited(t)
	make := func(d *devices.Device) error {
		d.Type, d.Name, d.Area = "air_station", "Trạm mới", "dong-hoi"
		return nil
	}
	if _, err := r.Create(t.Context(), devices.Device{ID: "p-1", Type: "generic", Life: devices.Pending, Vendor: "Envitech"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []devices.ID{"p-1", "new-1"} {
		d, err := r.Approve(t.Context(), id, "đã kiểm tra", make)
		if err != nil || d.Life != devices.Active || d.Type != "air_station" || d.LifeReason != "đã kiểm tra" || d.LifeSince.IsZero() {
			t.Errorf("%s: %+v, %v", id, d, err)
		}
		if _, err := r.Approve(t.Context(), id, "đã kiểm tra", make); !errors.Is(err, devices.ErrConflict) {
			t.Errorf("%s again: %v", id, err)
		}
	}
	if d, _ := r.Get("p-1"); d.Vendor != "Envitech" || d.Version != 2 {
		t.Errorf("what was known is lost: %+v", d)
	}
	if _, err := r.Approve(t.Context(), "new-2", "đã kiểm tra", func(*devices.Device) error { return nil }); err == nil {
		t.Error("approved without a type")
	}
	if es, err := l.List(t.Context(), audit.Filter{Action: "device.approve"}); err != nil || len(es) != 2 {
		t.Errorf("recorded %+v, %v", es, err)
	}
}

// Of two who edit what they read, the second is told.
func TestEditOverwritesNobody(t *testing.T) {
	ctx := context.Background()
	r, _ := openAudited(t)
	d, err := r.Create(ctx, devices.Device{ID: "a", Type: "generic", Name: "một"})
	if err != nil {
		t.Fatal(err)
	}
	name := func(s string) func(*devices.Device) error {
		return func(d *devices.Device) error { d.Name = s; return nil }
	}
	if _, err := r.Edit(ctx, "a", d.Version, name("hai")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Edit(ctx, "a", d.Version, name("ba")); !errors.Is(err, devices.ErrStale) {
		t.Errorf("the second of two: %v", err)
	}
	if got, _ := r.Get("a"); got.Name != "hai" || got.Version != d.Version+1 || got.UpdatedAt.IsZero() {
		t.Errorf("it is %+v", got)
	}
	if got, err := r.Edit(ctx, "a", 0, name("hai")); err != nil || got.Version != d.Version+1 {
		t.Errorf("what changes nothing: version %d, %v", got.Version, err)
	}
}

func TestGatewaysEnd(t *testing.T) {
	ctx := context.Background()
	r, _ := openAudited(t)
	if err := r.Upsert(ctx, []devices.Device{{ID: "GW-1", Type: "generic"}, {ID: "a", Type: "generic", Gateway: "gw-1"}}); err != nil {
		t.Fatal(err)
	}
	if d, _ := r.Get("a"); d.Gateway != "GW-1" {
		t.Errorf("the gateway is written %s", d.Gateway)
	}
	for id, via := range map[devices.ID]devices.ID{"GW-1": "a", "a": "A", "b": "nobody"} {
		err := r.Upsert(ctx, []devices.Device{{ID: id, Type: "generic", Gateway: via}})
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != "gateway" {
			t.Errorf("%s through %s: %v", id, via, err)
		}
	}
}

func TestNewFieldsAreKeptAndChecked(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	r := openRegistry(t, path)
	want := devices.Device{ID: "a", Type: "generic", Agency: "so-nnmt", Vendor: "Envitech", Network: "4G", Cohort: "đợt 2", Serial: "SN-1", Model: "M", Firmware: "1.2",
		InstalledAt: "2026-11-20", Notes: "Chìa khóa\nở UBND", Photo: "0123456789012345678901234567890123456789012345678901234567890123", Labels: []string{"ven biển", "cao", "cao"}}
	if _, err := r.Create(ctx, want); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*devices.Registry{r, openRegistry(t, path)} {
		d, _ := r.Get("a")
		if d.Agency != want.Agency || d.Vendor != want.Vendor || d.Network != want.Network || d.Cohort != want.Cohort || d.Serial != want.Serial || d.Model != want.Model || d.Firmware != want.Firmware ||
			d.InstalledAt != want.InstalledAt || d.Notes != want.Notes || d.Photo != want.Photo || !slices.Equal(d.Labels, []string{"ven biển", "cao"}) || d.Life != devices.Active || d.Version != 1 {
			t.Errorf("kept %+v", d)
		}
	}
	for field, d := range map[string]devices.Device{
		"agency": {Agency: "nobody"}, "installed_at": {InstalledAt: "20/11/2026"}, "notes": {Notes: "a\x00b"}, "photo": {Photo: "../x"},
		"labels": {Labels: []string{"a|b"}}, "life": {Life: "dead"}, "vendor": {Vendor: "a\nb"}, "id": {ID: "labels"},
	} {
		d.Type = "generic"
		if d.ID == "" {
			d.ID = "b"
		}
		_, err := r.Create(ctx, d)
		if fe, ok := errors.AsType[*devices.FieldError](err); !ok || fe.Field != field {
			t.Errorf("got %v, want a fault in %s", err, field)
		}
	}
}

// Who lets devices in is told when one's life changes, and asks anew.
func TestLifeDecidesWhoMaySignIn(t *testing.T) {
	r, _ := openAudited(t)
	var told []devices.ID
	r.Watch(func(id devices.ID) { told = append(told, id) })
	if _, err := r.Create(t.Context(), devices.Device{ID: "Cam-1", Type: "generic", Life: devices.Pending}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		to  devices.Life
		may bool
	}{{devices.Active, true}, {devices.Suspended, false}, {devices.Active, true}, {devices.Retired, false}, {devices.Active, true}} {
		told = nil
		if _, err := r.SetLife(t.Context(), "cam-1", step.to, "thử nghiệm"); err != nil {
			t.Fatal(err)
		}
		if err := r.MaySignIn("CAM-1"); (err == nil) != step.may {
			t.Errorf("%s: %v", step.to, err)
		}
		if len(told) != 1 || told[0] != "Cam-1" {
			t.Errorf("%s: told of %v", step.to, told)
		}
	}
	told = nil
	if _, err := r.Edit(t.Context(), "cam-1", 0, func(d *devices.Device) error { d.Name = "x"; return nil }); err != nil || len(told) > 0 {
		t.Errorf("a new name told of %v, %v", told, err)
	}
	if err := r.MaySignIn("nobody"); !errors.Is(err, devices.ErrNotFound) {
		t.Error(err)
	}
}
