package nbserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// RequiredVariable in the environment turns a missing ovsdb-server from a
// reason to skip into a failure, as in CI.
const RequiredVariable = "NORTHBOUND_REQUIRED"

// Schema is where OVN's packages put the schema.
const Schema = "/usr/share/ovn/ovn-nb.ovsschema"

// northbound is the database that the schema makes.
const northbound = "OVN_Northbound"

// Server is one ovsdb-server.
type Server struct {
	// Directory holds all of its files.
	Directory string
	// Database is the file.
	Database string
	// Remotes it listens on beside its socket, in ovsdb-server's form.
	Remotes []string
	Extra   []string
	// name of the database.
	name    string
	command *exec.Cmd
	ended   chan struct{}
	output  bytes.Buffer
}

// Require skips the test where ovsdb-server or the schema is missing.
func Require(t testing.TB) {
	t.Helper()
	complain := t.Skipf
	if os.Getenv(RequiredVariable) != "" {
		complain = t.Fatalf
	}
	for _, tool := range []string{"ovsdb-server", "ovsdb-tool", "ovsdb-client", "ovs-appctl", "ovn-northd", "ovn-nbctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			complain("NOT TESTED: %s is missing; install the packages ovn-central and openvswitch-switch", tool)
		}
	}
	if _, err := os.Stat(Schema); err != nil {
		complain("NOT TESTED: %s is missing; install the package ovn-central", Schema)
	}
}

// Start starts a server with an empty database for the time of the test.
func Start(t testing.TB, remotes ...string) *Server {
	t.Helper()
	return start(t, northbound, Schema, remotes...)
}

func start(t testing.TB, name, schema string, remotes ...string) *Server {
	t.Helper()
	Require(t)
	// A socket's path has to fit into 108 bytes, which the names of tests
	// and their temporary directories exceed.
	directory, err := os.MkdirTemp("", "nb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	s := &Server{Directory: directory, Database: filepath.Join(directory, "db"), Remotes: remotes, name: name}
	run(t, "ovsdb-tool", "create", s.Database, schema)
	s.Run(t)
	t.Cleanup(s.Kill)
	return s
}

// Endpoint is where clients connect.
func (s *Server) Endpoint() string { return "unix:" + s.socket() }

func (s *Server) socket() string  { return filepath.Join(s.Directory, "s") }
func (s *Server) control() string { return filepath.Join(s.Directory, "ctl") }

// Run starts the process, with the database as it is.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	arguments := []string{"--remote=punix:" + s.socket(), "--unixctl=" + s.control(), "--no-chdir"}
	for _, remote := range s.Remotes {
		arguments = append(arguments, "--remote="+remote)
	}
	arguments = append(append(arguments, s.Extra...), s.Database)
	s.command = exec.Command("ovsdb-server", arguments...)
	s.command.Stderr = &s.output
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(command *exec.Cmd, ended chan struct{}) {
		_ = command.Wait()
		close(ended)
	}(s.command, s.ended)
	Eventually(t, 10*time.Second, "ovsdb-server answers", func() bool {
		return exec.Command("ovs-appctl", "-t", s.control(), "version").Run() == nil
	})
}

// Kill ends the process as kill -9 does.
func (s *Server) Kill() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	<-s.ended
	s.command = nil
	_ = os.Remove(s.socket())
	_ = os.Remove(s.control())
}

// Signal sends a signal to the process, such as SIGSTOP.
func (s *Server) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Control runs a command of ovs-appctl.
func (s *Server) Control(t testing.TB, arguments ...string) string {
	t.Helper()
	return run(t, "ovs-appctl", append([]string{"-t", s.control()}, arguments...)...)
}

// Transact runs operations and returns the results; it fails the test where
// one of them failed.
func (s *Server) Transact(t testing.TB, operations ...any) []map[string]any {
	t.Helper()
	request, err := json.Marshal(append([]any{s.name}, operations...))
	if err != nil {
		t.Fatal(err)
	}
	answer := run(t, "ovsdb-client", "transact", s.Endpoint(), string(request))
	var out []map[string]any
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	for _, result := range out {
		if result["error"] != nil {
			t.Fatalf("%s: %v", request, result)
		}
	}
	return out
}

// AddRouter inserts a router with options.
func (s *Server) AddRouter(t testing.TB, name string, options ...[2]string) {
	t.Helper()
	s.Transact(t, map[string]any{"op": "insert", "table": "Logical_Router", "row": map[string]any{
		"name": name, "options": []any{"map", append([][2]string{}, options...)},
	}})
}

// RemoveRouter deletes a router, and with it its routes.
func (s *Server) RemoveRouter(t testing.TB, name string) {
	t.Helper()
	s.Transact(t, map[string]any{"op": "delete", "table": "Logical_Router", "where": []any{[]any{"name", "==", name}}})
}

// AddRoute inserts a static route of somebody's on a router.
func (s *Server) AddRoute(t testing.TB, router, prefix, nextHop, port string, externalIDs ...[2]string) {
	t.Helper()
	s.Transact(t,
		map[string]any{"op": "insert", "table": "Logical_Router_Static_Route", "uuid-name": "route", "row": map[string]any{
			"ip_prefix": prefix, "nexthop": nextHop, "output_port": port, "external_ids": []any{"map", append([][2]string{}, externalIDs...)},
		}},
		map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}},
			"mutations": []any{[]any{"static_routes", "insert", []string{"named-uuid", "route"}}}},
	)
}

// Update changes columns of the static routes with this prefix.
func (s *Server) Update(t testing.TB, prefix string, row map[string]any) {
	t.Helper()
	s.Transact(t, map[string]any{
		"op": "update", "table": "Logical_Router_Static_Route", "where": []any{[]any{"ip_prefix", "==", prefix}}, "row": row,
	})
}

func run(t testing.TB, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	// OVS' tools log there, on a busy machine even what is no fault.
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s%s", name, strings.Join(arguments, " "), err, out, complaints.String())
	}
	return string(out)
}

// Eventually waits for a condition, patience on a quiet machine and longer on a
// slow one.
func Eventually(t testing.TB, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	patience = machine.Patience(patience)
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !condition(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(pause) //nolint:forbidigo // the pause between two looks at the condition
	}
}

// Route is a static route as the database has it.
type Route struct {
	Prefix, NextHop, Port string
	Owner                 string
}

// String is the route as people write it.
func (r Route) String() string {
	return fmt.Sprintf("%s via %s dev %s owner %q", r.Prefix, r.NextHop, r.Port, r.Owner)
}

// StartCluster starts a clustered database of n servers.
func StartCluster(t testing.TB, n int) []*Server {
	t.Helper()
	Require(t)
	var servers []*Server
	for i := range n {
		directory, err := os.MkdirTemp("", "nb")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(directory) })
		s := &Server{Directory: directory, Database: filepath.Join(directory, "db"), name: northbound}
		raft := "unix:" + filepath.Join(directory, "raft")
		if i == 0 {
			run(t, "ovsdb-tool", "create-cluster", s.Database, Schema, raft)
		} else {
			run(t, "ovsdb-tool", "join-cluster", s.Database, northbound, raft, "unix:"+filepath.Join(servers[0].Directory, "raft"))
		}
		s.Run(t)
		t.Cleanup(s.Kill)
		servers = append(servers, s)
		Eventually(t, 20*time.Second, "the server is part of the cluster", func() bool {
			return strings.Contains(s.Control(t, "cluster/status", northbound), "Status: cluster member")
		})
	}
	return servers
}

// Leads reports whether the server leads its cluster.
func (s *Server) Leads(t testing.TB) bool {
	t.Helper()
	return s.command != nil && strings.Contains(s.Control(t, "cluster/status", northbound), "Role: leader")
}
