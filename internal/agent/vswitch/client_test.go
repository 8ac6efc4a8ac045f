package vswitch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

const logicalPort = "macvrf-cluster_udn_blue_ovn_layer2_switch"

var blue = vswitch.Port{Name: "ovl2-blue", LogicalPort: logicalPort, MTU: 1400}

// run returns a client of a server, and how often it told of changes.
func run(t *testing.T, endpoint string) (*vswitch.Client, *atomic.Int64) {
	t.Helper()
	var told atomic.Int64
	c := vswitch.New(vswitch.Options{Endpoint: endpoint, Log: testr.New(t), Changed: func() { told.Add(1) }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return c, &told
}

func connected(t *testing.T, c *vswitch.Client) {
	t.Helper()
	nbserver.Eventually(t, 30*time.Second, "the client is connected", func() bool {
		_, err := c.Ports(t.Context())
		return err == nil
	})
}

// start returns a server with the integration bridge, and a connected client.
func start(t *testing.T) (*nbserver.Server, *vswitch.Client, *atomic.Int64) {
	t.Helper()
	s := nbserver.StartVswitch(t)
	s.AddBridge(t, "br-int")
	c, told := run(t, s.Endpoint())
	connected(t, c)
	return s, c, told
}

func add(t *testing.T, c *vswitch.Client, port vswitch.Port) {
	t.Helper()
	if err := c.Add(t.Context(), port); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c *vswitch.Client, want ...vswitch.Port) {
	t.Helper()
	got, err := c.Ports(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("ports are %+v (%v), not %+v", got, err, want)
	}
}

func ours(port vswitch.Port) vswitch.Port {
	port.Ours = true
	return port
}

// written is what another tool sees of an interface: its bridge, type, MTU and IDs.
func written(t *testing.T, s *nbserver.Server, name string) string {
	t.Helper()
	ports, interfaces := s.Rows(t, "Port", "name", name), s.Rows(t, "Interface", "name", name)
	if len(ports) != 1 || len(interfaces) != 1 || !reflect.DeepEqual(ports[0]["interfaces"], interfaces[0]["_uuid"]) {
		t.Fatalf("%d ports and %d interfaces of the name %s", len(ports), len(interfaces), name)
	}
	var on []string
	for _, bridge := range s.Transact(t, map[string]any{"op": "select", "table": "Bridge", "where": []any{
		[]any{"ports", "includes", ports[0]["_uuid"]}}})[0]["rows"].([]any) {
		on = append(on, bridge.(map[string]any)["name"].(string))
	}
	ids, _ := json.Marshal(interfaces[0]["external_ids"].([]any)[1])
	return fmt.Sprintf("%v %v %v %s", on, interfaces[0]["type"], interfaces[0]["mtu_request"], ids)
}

const blueWritten = `[br-int] internal 1400 [["iface-id","macvrf-cluster_udn_blue_ovn_layer2_switch"],["ovnbgp.io/managed","agent"]]`

func TestPortIsMadeAndRemoved(t *testing.T) {
	s, c, told := start(t)
	add(t, c, blue)
	expect(t, c, ours(blue))
	if got := written(t, s, "ovl2-blue"); got != blueWritten {
		t.Errorf("the database has\n  %s\nnot\n  %s", got, blueWritten)
	}
	nbserver.Eventually(t, 30*time.Second, "the port is told", func() bool { return told.Load() >= 2 })
	if err := c.Delete(t.Context(), blue.Name); err != nil {
		t.Fatal(err)
	}
	expect(t, c)
	if rows := s.Rows(t, "Interface", "name", "ovl2-blue"); len(rows) > 0 {
		t.Errorf("left: %v", rows)
	}
	if err := c.Delete(t.Context(), blue.Name); err != nil {
		t.Errorf("a port that is gone: %v", err)
	}
}

func TestPortOfOursIsCorrected(t *testing.T) {
	s, c, _ := start(t)
	s.AddBridge(t, "br-ex")
	iface := func(row map[string]any) {
		s.Transact(t, map[string]any{"op": "update", "table": "Interface", "where": []any{[]any{"name", "==", "ovl2-blue"}}, "row": row})
	}
	for name, change := range map[string]func(){
		"MTU":    func() { iface(map[string]any{"mtu_request": 9000}) },
		"no MTU": func() { iface(map[string]any{"mtu_request": []any{"set", []any{}}}) },
		"type":   func() { iface(map[string]any{"type": "dummy"}) },
		"logical port": func() {
			iface(map[string]any{"external_ids": []any{"map", []any{[]any{"iface-id", "other"}, []any{"ovnbgp.io/managed", "agent"}}}})
		},
		"no logical port": func() {
			iface(map[string]any{"external_ids": []any{"map", []any{[]any{"ovnbgp.io/managed", "agent"}}}})
		},
		"bridge": func() {
			port := s.RowID(t, "Port", "name", "ovl2-blue")
			s.Transact(t,
				map[string]any{"op": "mutate", "table": "Bridge", "where": []any{[]any{"name", "==", "br-int"}}, "mutations": []any{[]any{"ports", "delete", port}}},
				map[string]any{"op": "mutate", "table": "Bridge", "where": []any{[]any{"name", "==", "br-ex"}}, "mutations": []any{[]any{"ports", "insert", port}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			add(t, c, blue)
			change()
			add(t, c, blue)
			expect(t, c, ours(blue))
			if got := written(t, s, "ovl2-blue"); got != blueWritten {
				t.Errorf("the database has %s", got)
			}
		})
	}
}

// A port that is as it should be costs no transaction.
func TestAddAgainWritesNothing(t *testing.T) {
	s := nbserver.StartVswitch(t)
	s.AddBridge(t, "br-int")
	var writes atomic.Int64
	c, _ := run(t, s.Relay(t, func(message []byte) []byte {
		if bytes.Contains(message, []byte(`"op":"insert"`)) || bytes.Contains(message, []byte(`"op":"update"`)) || bytes.Contains(message, []byte(`"op":"mutate"`)) {
			writes.Add(1)
		}
		return message
	}))
	connected(t, c)
	for range 3 {
		add(t, c, blue)
	}
	if writes.Load() != 1 {
		t.Errorf("%d writes for one port", writes.Load())
	}
}

func TestForeignPortsAreLeftAlone(t *testing.T) {
	s, c, _ := start(t)
	s.AddPort(t, "br-int", "ovl2-blue", "internal", map[string]string{"evpn-vtep": "fabric"}, map[string]string{"iface-id": logicalPort})
	s.AddPort(t, "br-int", "ovl2-red", "internal", nil, map[string]string{"iface-id": "macvrf-red"})
	s.AddPort(t, "br-int", "ovl2-pod", "", nil, map[string]string{"iface-id": "ns_pod", "sandbox": "1234"})
	s.AddPort(t, "br-int", "ovl2-nobody", "internal", nil, nil)
	before := s.Control(t, "ovsdb-server/compact")
	_ = before
	for name, says := range map[string]string{
		"ovl2-blue": "OVN-Kubernetes' own, for VTEP fabric", "ovl2-red": "for the logical port macvrf-red",
		"ovl2-pod": "a pod's, ns_pod", "ovl2-nobody": "somebody else's", "br-int": "somebody else's",
	} {
		was := written(t, s, name)
		for what, err := range map[string]error{
			"add":    c.Add(t.Context(), vswitch.Port{Name: name, LogicalPort: "x"}),
			"delete": c.Delete(t.Context(), name),
		} {
			if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "ovs-vsctl") {
				t.Errorf("%s %s: %v", what, name, err)
			}
		}
		if now := written(t, s, name); now != was {
			t.Errorf("%s was %s and is %s", name, was, now)
		}
	}
	expect(t, c, vswitch.Port{Name: "ovl2-blue", LogicalPort: logicalPort, ByOVNKubernetes: true})
}

// A bond has the interface's name elsewhere; the mark alone doesn't make the port ours.
func TestInterfaceInAnotherPortIsLeftAlone(t *testing.T) {
	s, c, _ := start(t)
	s.Transact(t,
		map[string]any{"op": "insert", "table": "Interface", "uuid-name": "a", "row": map[string]any{"name": "ovl2-blue", "type": "internal",
			"external_ids": []any{"map", []any{[]any{"ovnbgp.io/managed", "agent"}}}}},
		map[string]any{"op": "insert", "table": "Port", "uuid-name": "p", "row": map[string]any{"name": "bond", "interfaces": []string{"named-uuid", "a"}}},
		map[string]any{"op": "mutate", "table": "Bridge", "where": []any{}, "mutations": []any{[]any{"ports", "insert", []string{"named-uuid", "p"}}}})
	if err := c.Add(t.Context(), blue); err == nil {
		t.Error("an interface in another port is taken for ours")
	}
	if err := c.Delete(t.Context(), blue.Name); err == nil || len(s.Rows(t, "Port", "name", "bond")) != 1 {
		t.Errorf("delete: %v", err)
	}
}

func TestPortsThatCannotBe(t *testing.T) {
	_, c, _ := start(t)
	for _, port := range []vswitch.Port{{LogicalPort: "x"}, {Name: "sixteen-letters-", LogicalPort: "x"}, {Name: "a/b", LogicalPort: "x"}, {Name: "a b", LogicalPort: "x"}, {Name: "ok"}} {
		if err := c.Add(t.Context(), port); err == nil {
			t.Errorf("%+v is made", port)
		}
	}
	expect(t, c)
}

func TestNoBridge(t *testing.T) {
	s := nbserver.StartVswitch(t)
	c, _ := run(t, s.Endpoint())
	connected(t, c)
	if err := c.Add(t.Context(), blue); err == nil || !strings.Contains(err.Error(), "bridge br-int is not in Open vSwitch") {
		t.Errorf("without a bridge: %v", err)
	}
	s.AddBridge(t, "br-int")
	add(t, c, blue)
}

func TestPortChangedByHandIsTold(t *testing.T) {
	s, c, told := start(t)
	s.AddPort(t, "br-int", "ovl2-red", "internal", map[string]string{"evpn-vtep": "fabric"}, map[string]string{"iface-id": "macvrf-red"})
	add(t, c, blue)
	nbserver.Eventually(t, 30*time.Second, "both ports are told", func() bool { return told.Load() >= 3 })
	for _, name := range []string{"ovl2-blue", "ovl2-red"} {
		before := told.Load()
		s.DeletePort(t, name)
		nbserver.Eventually(t, 30*time.Second, "that "+name+" is gone is told", func() bool { return told.Load() > before })
	}
	expect(t, c)
	add(t, c, blue)
	expect(t, c, ours(blue))
}

func TestServerIsAbsentAndRestarts(t *testing.T) {
	s := nbserver.StartVswitch(t)
	s.AddBridge(t, "br-int")
	s.Kill()
	c, told := run(t, s.Endpoint())
	nbserver.Eventually(t, 30*time.Second, "what is wrong is said", func() bool {
		_, err := c.Ports(t.Context())
		return errors.Is(err, vswitch.ErrDisconnected) && strings.Contains(err.Error(), s.Endpoint()) && strings.Contains(err.Error(), "no such file")
	})
	if err := c.Add(t.Context(), blue); !errors.Is(err, vswitch.ErrDisconnected) {
		t.Errorf("add: %v", err)
	}
	s.Run(t)
	connected(t, c)
	add(t, c, blue)
	before := told.Load()
	s.Kill()
	nbserver.Eventually(t, 30*time.Second, "the loss is told", func() bool { return told.Load() > before })
	s.Run(t)
	connected(t, c)
	expect(t, c, ours(blue))
	s.DeletePort(t, "ovl2-blue")
	nbserver.Eventually(t, 30*time.Second, "the new session tells, too", func() bool {
		ports, err := c.Ports(t.Context())
		return err == nil && len(ports) == 0
	})
}

// The server dies while a port is made: there is all of it, or nothing.
func TestKilledWhileAPortIsMade(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			s := nbserver.StartVswitch(t)
			s.AddBridge(t, "br-int")
			killed := make(chan struct{})
			c, _ := run(t, s.Relay(t, func(message []byte) []byte {
				if !bytes.Contains(message, []byte(`"op":"insert"`)) {
					return message
				}
				if when == "before" {
					s.Kill()
					close(killed)
					return nil
				}
				go func() {
					s.Kill()
					close(killed)
				}()
				return message
			}))
			connected(t, c)
			err := c.Add(t.Context(), blue)
			<-killed
			s.Run(t)
			connected(t, c)
			ports, interfaces := s.Rows(t, "Port", "name", "ovl2-blue"), s.Rows(t, "Interface", "name", "ovl2-blue")
			if len(ports) != len(interfaces) || len(ports) > 1 || err == nil && len(ports) != 1 {
				t.Errorf("%v left %d ports and %d interfaces", err, len(ports), len(interfaces))
			}
		})
	}
}

// Somebody makes a port of the name between our look and our transaction.
func TestNameTakenMeanwhile(t *testing.T) {
	s := nbserver.StartVswitch(t)
	s.AddBridge(t, "br-int")
	var taken atomic.Bool
	c, _ := run(t, s.Relay(t, func(message []byte) []byte {
		if bytes.Contains(message, []byte(`"op":"insert"`)) && !taken.Swap(true) {
			s.AddPort(t, "br-int", "ovl2-blue", "internal", nil, map[string]string{"iface-id": "theirs"})
		}
		return message
	}))
	connected(t, c)
	if err := c.Add(t.Context(), blue); err == nil || !strings.Contains(err.Error(), "theirs") {
		t.Errorf("add: %v", err)
	}
	if got := written(t, s, "ovl2-blue"); !strings.Contains(got, "theirs") {
		t.Errorf("their port is %s", got)
	}
}

// The bridge is deleted and made anew between our look and our transaction.
func TestBridgeMadeAnewMeanwhile(t *testing.T) {
	s := nbserver.StartVswitch(t)
	s.AddBridge(t, "br-int")
	var anew atomic.Bool
	c, _ := run(t, s.Relay(t, func(message []byte) []byte {
		if bytes.Contains(message, []byte(`"op":"insert"`)) && !anew.Swap(true) {
			s.Transact(t, map[string]any{"op": "update", "table": "Open_vSwitch", "where": []any{}, "row": map[string]any{"bridges": []any{"set", []any{}}}})
			s.AddBridge(t, "br-int")
		}
		return message
	}))
	connected(t, c)
	add(t, c, blue)
	expect(t, c, ours(blue))
	if got := written(t, s, "ovl2-blue"); !strings.Contains(got, "[br-int]") {
		t.Errorf("the port is %s", got)
	}
}

func TestChassis(t *testing.T) {
	s, c, told := start(t)
	if name := c.Chassis(); name != "" {
		t.Errorf("the chassis is %q", name)
	}
	ids := func(pairs ...[]string) {
		s.Transact(t, map[string]any{"op": "update", "table": "Open_vSwitch", "where": []any{}, "row": map[string]any{"external_ids": []any{"map", pairs}}})
	}
	before := told.Load()
	ids([]string{"system-id", "chassis-1"})
	nbserver.Eventually(t, 30*time.Second, "the chassis is told", func() bool { return told.Load() > before && c.Chassis() == "chassis-1" })
}
