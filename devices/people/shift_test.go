package people

import (
	"errors"
	"testing"

	"haidang/devices"
)

func TestShiftIsHandedOverAndAccepted(t *testing.T) {
	s, db := house(t, Options{})
	ctx := t.Context()
	conflict := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, devices.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.NoteShift(ctx, "lan", "x"); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("a note without a shift: %v", err)
	}
	first, err := s.BeginShift(ctx, "lan", []string{" Nam ", ""})
	if err != nil || first.State != OnDuty || len(first.Members) != 1 || first.Members[0] != "Nam" {
		t.Fatal(first, err)
	}
	_, err = s.BeginShift(ctx, "nam", nil)
	conflict("two on duty", err)
	if _, err := s.NoteShift(ctx, "nam", "  Trạm Nhật Lệ bảo trì "); err != nil {
		t.Fatal(err)
	}
	if _, err := s.NoteShift(ctx, "nam", " "); err == nil {
		t.Error("an empty note was taken")
	}
	open := []Matter{{"alert", "a1", "Bụi"}, {"report", "QB-1", "Ổ gà"}}
	waiting, err := s.HandOver(ctx, "lan", "Chú ý triều cường", open)
	if err != nil || waiting.State != HandedOver || waiting.HandedOverAt == nil || len(waiting.Notes) != 2 || len(waiting.Open) != 2 {
		t.Fatal(waiting, err)
	}
	_, err = s.BeginShift(ctx, "nam", nil)
	conflict("one begins without accepting", err)
	_, err = s.Accept(ctx, "lan", waiting.ID, nil)
	conflict("who hands over accepts", err)
	_, err = s.Accept(ctx, "nam", waiting.ID+1, nil)
	conflict("another shift than was read", err)
	next, err := s.Accept(ctx, "nam", waiting.ID, []string{"Hoa"})
	if err != nil || next.State != OnDuty || next.Lead != "nam" || len(next.Carried) != 2 || next.Carried[1].ID != "QB-1" {
		t.Fatal(next, err)
	}
	if _, err := s.Accept(ctx, "nam", waiting.ID, nil); !errors.Is(err, devices.ErrNotFound) {
		t.Errorf("accepted twice: %v", err)
	}
	all, err := s.Shifts(ctx, 0, 10)
	if err != nil || len(all) != 2 || all[0].ID != next.ID || all[1].State != ShiftOver || all[1].AcceptedBy != "nam" || all[1].AcceptedAt == nil || all[1].Notes[0].Text != "Trạm Nhật Lệ bảo trì" {
		t.Errorf("%+v %v", all, err)
	}
	if before, err := s.Shifts(ctx, next.ID, 10); err != nil || len(before) != 1 {
		t.Errorf("%+v %v", before, err)
	}
	var acts int
	if err := db.QueryRow(`SELECT count(*) FROM audit WHERE kind = 'shift'`).Scan(&acts); err != nil || acts != 5 {
		t.Errorf("%d acts recorded, %v", acts, err)
	}
}
