package evpn_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// dummySwitch has a dummy device for each of its ports: what counts here is the kernel's
// side of them.
type dummySwitch struct {
	ns *testns.Namespace

	mu    sync.Mutex
	ports map[string]vswitch.Port
	fault error
	// adding, if set, is called before a port is added.
	adding func(name string)
}

func (s *dummySwitch) Ports(context.Context) ([]vswitch.Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.ports), func(a, b vswitch.Port) int { return strings.Compare(a.Name, b.Name) }), s.fault
}

func (s *dummySwitch) Add(_ context.Context, p vswitch.Port) error {
	if s.adding != nil {
		s.adding(p.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.ports[p.Name]; !there {
		kernel, err := netlink.NewHandleAt(s.ns.Handle)
		if err != nil {
			return err
		}
		defer kernel.Close()
		if err := kernel.LinkAdd(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: p.Name}}); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	s.ports[p.Name] = p
	return nil
}

func (s *dummySwitch) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ports, name)
	out, err := s.ns.Try("link del " + name)
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// managed is a namespace of a node on which the agent makes the devices.
type managed struct {
	*testns.Namespace
	vswitch *dummySwitch
}

func manage(t testing.TB) *managed {
	t.Helper()
	ns := bare(t)
	ns.IP(t, "link add loop0 type dummy", "link set loop0 up", "addr add 100.64.0.1/32 dev loop0", "addr add 100.64.0.2/32 dev loop0",
		"link add blue type vrf table 1005", "link set blue up", "link add red type vrf table 1006", "link set red up",
		"link add ovn-k8s-mp5 mtu 1400 type dummy")
	return &managed{ns, &dummySwitch{ns: ns, ports: map[string]vswitch.Port{}}}
}

// agent is one that was just started: it knows nothing of earlier ones.
func (m *managed) agent() *evpn.Keeper {
	return &evpn.Keeper{Namespace: m.Handle, Log: logr.Discard(), Node: "node1", Switch: m.vswitch}
}

func (m *managed) sync(t testing.TB, hosts map[string][]evpn.Host, networks ...evpn.Network) evpn.Report {
	t.Helper()
	report, err := m.agent().Sync(t.Context(), networks, hosts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// settled checks that all is there, and that there is nothing left to do.
func (m *managed) settled(t testing.TB, hosts map[string][]evpn.Host, networks ...evpn.Network) {
	t.Helper()
	report := m.sync(t, hosts, networks...)
	for _, s := range report.Networks {
		if s.Problem != "" {
			t.Errorf("%s: %s: %s", s.Network, s.Reason, s.Problem)
		}
	}
	if len(report.Changes) > 0 || report.Leftover != "" {
		t.Errorf("another pass changed %v (%s)", report.Changes, report.Leftover)
	}
}

func red() evpn.Network {
	return evpn.Network{Name: "cluster_udn_red", VRF: "red", ID: 6, VTEP: "fabric", Endpoint: endpoint, MACVRF: evpn.VPN{VNI: 111, VID: 13}}
}

func host(mac string, addresses ...string) evpn.Host {
	h := evpn.Host{MAC: mac}
	for _, a := range addresses {
		h.Addresses = append(h.Addresses, netip.MustParseAddr(a))
	}
	return h
}

func podsOf(hosts ...evpn.Host) map[string][]evpn.Host {
	return map[string][]evpn.Host{"cluster_udn_blue": hosts}
}

var pod = host("0a:00:00:00:00:01", "10.10.0.1", "fd10::1")

// shows runs a command, and checks what it shows.
func (m *managed) shows(t testing.TB, command string, want ...string) {
	t.Helper()
	words := strings.Fields(command)
	out := m.Exec(t, words[0], words[1:]...)
	for _, w := range want {
		if lacks, found := strings.CutPrefix(w, "!"); found == strings.Contains(out, lacks) {
			t.Errorf("%s: %q is not as it should be in\n%s", command, w, out)
		}
	}
}
