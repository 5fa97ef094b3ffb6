package ingesttest

import (
	"os/exec"
	"testing"
)

// SmallDisk makes the empty folder dir a disk of its own, in memory, that can be
// filled; size is as mount's, "2g". It ends with the test, which is skipped by
// whoever may not mount.
func SmallDisk(t testing.TB, dir, size string) {
	t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a tmpfs: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
}
