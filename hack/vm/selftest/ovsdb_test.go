package selftest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNorthboundDatabase(t *testing.T) {
	inside(t)
	folder := t.TempDir()
	database, socket := filepath.Join(folder, "nb.db"), filepath.Join(folder, "nb.sock")
	command(t, "ovsdb-tool", "create", database, "/usr/share/ovn/ovn-nb.ovsschema")
	server := exec.Command("ovsdb-server", "--no-chdir", "--unixctl="+filepath.Join(folder, "ctl"),
		"--remote=punix:"+socket, database)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	eventually(t, func() bool {
		return exec.Command("ovsdb-client", "--timeout=5", "list-dbs", "unix:"+socket).Run() == nil
	})
	nb := func(args ...string) string {
		return command(t, "ovn-nbctl", append([]string{"--timeout=20", "--db=unix:" + socket}, args...)...)
	}
	nb("lr-add", "GR_node1", "--", "lr-route-add", "GR_node1", "172.21.0.0/16", "10.50.0.1")
	if routes := nb("lr-route-list", "GR_node1"); !strings.Contains(routes, "172.21.0.0/16") {
		t.Errorf("the route is not in the database:\n%s", routes)
	}
}

// eventually waits for a condition. A minute is long enough for an emulated
// machine whose host is busy.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("still not so after a minute")
		case <-again.C:
		}
	}
}
