package evpn

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// planned is a node with the VRF of network blue.
func planned() (*machine, Network) {
	m := newMachine()
	_ = m.make(Device{Name: "blue", Kind: kindVRF, Up: true})
	endpoint := netip.MustParseAddr("100.64.0.1")
	m.Addresses[endpoint] = 1
	return m, Network{Name: "cluster_udn_blue", VRF: "blue", ID: 5, VTEP: "fabric", Endpoint: endpoint, MACVRF: VPN{VNI: 110, VID: 11}, IPVRF: VPN{VNI: 210, VID: 12}}
}

func plan(t *testing.T, m *machine, n Network, hosts ...Host) ([]Change, State) {
	t.Helper()
	changes, states := Plan([]Network{n}, map[string][]Host{n.Name: hosts}, &m.Observed, "node1")
	return changes, states[0]
}

func make1(t *testing.T, m *machine, n Network, hosts ...Host) {
	t.Helper()
	changes, _ := plan(t, m, n, hosts...)
	for _, c := range changes {
		if err := m.do(c); err != nil {
			t.Fatal(err)
		}
	}
}

func verbs(changes []Change) []Verb {
	var out []Verb
	for _, c := range changes {
		out = append(out, c.Verb)
	}
	return slices.Compact(out)
}

// TestOrder: what needs another thing comes after it, and goes before it.
func TestOrder(t *testing.T) {
	m, n := planned()
	pod := Host{MAC: "0a:00:00:00:00:01", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	changes, _ := plan(t, m, n, pod)
	want := []Verb{CreateBridge, SetBridge, CreateVXLAN, SetVXLAN, SetVXLANPort, AddPortVLAN, AddVNI, AddTunnel, AddBridgeVLAN,
		CreateL3SVI, SetL3SVI, CreateL2SVI, SetL2SVI, AddPort, JoinPort, SetMAC, SetNeighbor}
	if got := verbs(changes); !slices.Equal(got, want) {
		t.Errorf("made: %v", changes)
	}
	make1(t, m, n, pod)
	changes, _ = plan(t, m, n)
	if got := verbs(changes); !slices.Equal(got, []Verb{DeleteNeighbor, DeleteMAC}) {
		t.Errorf("without the host: %v", changes)
	}
	changes, _ = Plan(nil, nil, &m.Observed, "node1")
	if got := verbs(changes); !slices.Equal(got, []Verb{DeletePort, DeleteSVI, DeleteVXLAN, DeleteBridge}) {
		t.Errorf("without networks: %v", changes)
	}
	other := n
	other.Name, other.VRF, other.MACVRF, other.IPVRF = "cluster_udn_red", "red", VPN{}, VPN{VNI: 220, VID: 13}
	changes, _ = Plan([]Network{other}, nil, &m.Observed, "node1")
	if got := verbs(changes)[:6]; !slices.Equal(got, []Verb{DeletePort, DeleteSVI, DeleteBridgeVLAN, DeleteTunnel, DeleteVNI, DeletePortVLAN}) {
		t.Errorf("with another network: %v", changes)
	}
}

// TestRouterMAC: it depends on the names alone, and is one that a device may have.
func TestRouterMAC(t *testing.T) {
	mac := routerMAC("fabric", "node1")
	if mac.String() != "f6:75:14:5c:4f:d7" {
		t.Errorf("%s: with an upgrade, the address of every node would change", mac)
	}
	if mac[0]&3 != 2 || routerMAC("fabric", "node2") == mac || routerMAC("storage", "node1") == mac {
		t.Errorf("%s", mac)
	}
}

// TestHeld: a network that can't be worked on keeps what it has, under whatever names.
func TestHeld(t *testing.T) {
	for _, test := range []struct {
		change func(*machine, *Network)
		reason Reason
	}{
		{func(_ *machine, n *Network) { n.Problem = "a problem" }, ReasonNetworkUnknown},
		{func(_ *machine, n *Network) { n.Endpoint = netip.Addr{} }, ReasonNetworkUnknown},
		{func(_ *machine, n *Network) { n.MACVRF.VID, n.IPVRF.VID = 0, 0 }, ReasonNetworkUnknown},
		{func(_ *machine, n *Network) { n.VRF = "" }, ReasonNetworkUnknown},
		{func(m *machine, _ *Network) {
			m.Ports = append(m.Ports, vswitch.Port{Name: "ovl2-x", ByOVNKubernetes: true})
		}, ReasonMadeByOVNKubernetes},
	} {
		m, n := planned()
		make1(t, m, n, Host{MAC: "0a:00:00:00:00:01"})
		test.change(m, &n)
		if changes, state := plan(t, m, n); len(changes) > 0 || state.Reason != test.reason {
			t.Errorf("%s: %s, %v", state.Reason, state.Problem, changes)
		}
	}
}

// TestLocated: what no host can have gets no entry.
func TestLocated(t *testing.T) {
	router := MAC{2, 0, 0, 0, 0, 1}
	hosts := []Host{
		{MAC: "0a:00:00:00:00:02", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.2")}},
		{MAC: "0a:00:00:00:00:01", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("::1"), {}}},
		{MAC: router.String(), Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.9")}},
		{MAC: "01:00:5e:00:00:01"}, {MAC: "00:00:00:00:00:00"}, {MAC: "unknown"}, {MAC: "0a:00:00:00:00:00:00:01"},
	}
	for range 2 {
		macs, addresses := located(hosts, router)
		if len(macs) != 2 || len(addresses) != 2 || addresses[netip.MustParseAddr("10.0.0.1")] != (MAC{0xa, 0, 0, 0, 0, 1}) || addresses[netip.MustParseAddr("10.0.0.2")] != (MAC{0xa, 0, 0, 0, 0, 2}) {
			t.Errorf("%v %v", macs, addresses)
		}
		slices.Reverse(hosts)
	}
}

// TestTextsOfTheAgent: with the agent's own devices nobody is sent to ovnkube-node.
func TestTextsOfTheAgent(t *testing.T) {
	m, n := planned()
	make1(t, m, n)
	for i := range m.Devices {
		broken := m.clone()
		broken.remove(m.Devices[i].Name)
		if s := Check([]Network{n}, &broken.Observed, true)[0]; strings.Contains(s.Problem, "ovnkube-node") {
			t.Errorf("without %s: %s", m.Devices[i].Name, s.Problem)
		}
	}
	broken := m.clone()
	broken.named("svl2-blue").VID = 99
	if s := Check([]Network{n}, &broken.Observed, true)[0]; strings.Contains(s.Problem, "ovnkube-node") || s.Reason != ReasonSVIMissing {
		t.Errorf("%s", s.Problem)
	}
}

// TestChangesAreTold: every change has a text for the log and for cleanup.
func TestChangesAreTold(t *testing.T) {
	for verb := DeleteNeighbor; verb <= SetNeighbor; verb++ {
		if text := (Change{Verb: verb, Device: "dev", Wrong: []string{"is down"}}).String(); strings.HasPrefix(text, "verb ") || !strings.Contains(text, "dev") {
			t.Errorf("verb %d: %q", verb, text)
		}
	}
}

// TestMTU: the tunnels take the widest of the networks' packets.
func TestMTU(t *testing.T) {
	m, n := planned()
	_ = m.make(Device{Name: "ovn-k8s-mp5", MTU: 1400})
	make1(t, m, n)
	if d := m.named("evx4-fabric"); d.MTU != 1400 || m.Ports[0].MTU != 1400 {
		t.Errorf("%+v %+v", d, m.Ports)
	}
	m.named("ovn-k8s-mp5").MTU = 8900
	make1(t, m, n)
	if d := m.named("evx4-fabric"); d.MTU != 8900 || m.Ports[0].MTU != 8900 {
		t.Errorf("%+v %+v", d, m.Ports)
	}
	m.remove("ovn-k8s-mp5")
	if changes, _ := plan(t, m, n); len(changes) > 0 {
		t.Errorf("without the management port: %v", changes)
	}
}
