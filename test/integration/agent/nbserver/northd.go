package nbserver

import (
	"bytes"
	"encoding/csv"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// southboundSchema is where OVN's packages put it.
const southboundSchema = "/usr/share/ovn/ovn-sb.ovsschema"

// Northd is an ovn-northd with a Southbound database of its own.
type Northd struct {
	northbound, southbound *Server
}

// StartNorthd starts an ovn-northd for a Northbound database, for the time of
// the test.
func StartNorthd(t testing.TB, nb *Server) *Northd {
	t.Helper()
	n := &Northd{northbound: nb, southbound: start(t, "OVN_Southbound", southboundSchema)}
	command := exec.Command("ovn-northd", "--ovnnb-db="+nb.Endpoint(), "--ovnsb-db="+n.southbound.Endpoint(),
		"--unixctl="+filepath.Join(n.southbound.Directory, "northd"))
	command.Env = append(command.Environ(), "OVN_RUNDIR="+n.southbound.Directory)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("ovn-northd: %s", output.String())
		}
	})
	Eventually(t, 20*time.Second, "ovn-northd tells its version", func() bool { return n.Version(t) != "" })
	return n
}

// Version is what ovn-northd writes about itself.
func (n *Northd) Version(t testing.TB) string {
	t.Helper()
	for _, row := range n.northbound.Transact(t, map[string]any{"op": "select", "table": "NB_Global", "where": []any{}, "columns": []string{"options"}})[0]["rows"].([]any) {
		for _, pair := range row.(map[string]any)["options"].([]any)[1].([]any) {
			if pair.([]any)[0] == "northd_internal_version" {
				return pair.([]any)[1].(string)
			}
		}
	}
	return ""
}

// Sync waits until what is in the Northbound database is in the Southbound one.
func (n *Northd) Sync(t testing.TB) {
	t.Helper()
	run(t, "ovn-nbctl", "--no-leader-only", "--db="+n.northbound.Endpoint(), "--timeout=30", "--wait=sb", "sync")
}

// Flows returns the actions of all logical flows whose match has the text.
func (n *Northd) Flows(t testing.TB, match string) []string {
	t.Helper()
	var out []string
	for _, row := range n.southbound.Transact(t, map[string]any{"op": "select", "table": "Logical_Flow", "where": []any{}, "columns": []string{"match", "actions"}})[0]["rows"].([]any) {
		flow := row.(map[string]any)
		if strings.Contains(flow["match"].(string), match) {
			out = append(out, flow["actions"].(string))
		}
	}
	return out
}

// Trace is what OVN does with a packet, as ovn-trace tells it: from a logical
// switch, a packet that this expression describes.
func (n *Northd) Trace(t testing.TB, logicalSwitch, packet string) string {
	t.Helper()
	return run(t, "ovn-trace", "--db="+n.southbound.Endpoint(), "--no-leader-only", logicalSwitch, packet)
}

// Configure makes changes by ovn-nbctl's commands, all in one transaction. Words
// with spaces in them are in double quotes.
func (s *Server) Configure(t testing.TB, commands ...string) {
	t.Helper()
	arguments := []string{"--no-leader-only", "--db=" + s.Endpoint(), "--timeout=30"}
	for _, command := range commands {
		words := csv.NewReader(strings.NewReader(command))
		words.Comma = ' '
		record, err := words.Read()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		arguments = append(append(arguments, "--"), record...)
	}
	run(t, "ovn-nbctl", arguments...)
}
