package evpn_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// TestKeeperMakes: all of a network's devices are made, and removed with it. Others' are
// left alone.
func TestKeeperMakes(t *testing.T) {
	m := manage(t)
	m.IP(t, "link add theirs type bridge", "link add vxlan9 type vxlan id 9 dstport 8472")
	m.sync(t, podsOf(pod), blue(), red())
	m.settled(t, podsOf(pod), blue(), red())
	mac := evpn.RouterMAC("fabric", "node1")
	m.shows(t, "ip -d link show evbr-fabric", mac, "vlan_filtering 1", "vlan_default_pvid 0", "addrgenmode none", "alias ovnbgp.io/managed VTEP fabric", "group 1870032482", "mtu 1400")
	m.shows(t, "ip -d link show evx4-fabric", "external", "vnifilter", "nolearning", "local 100.64.0.1", "dstport 4789", "mtu 1400", "addrgenmode none",
		"learning off", "neigh_suppress on", "vlan_tunnel on", "isolated on")
	m.shows(t, "ip -d link show svl3-blue", "master blue", "vlan protocol 802.1Q id 12", "addrgenmode none", mac)
	m.shows(t, "ip -d link show svl2-blue", "master blue", "vlan protocol 802.1Q id 11", "addrgenmode none", mac)
	m.shows(t, "ip -6 addr show svl2-blue", "!inet6")
	m.shows(t, "bridge vlan tunnelshow", "110", "210", "111")
	m.shows(t, "bridge vlan show dev ovl2-blue", "11 PVID Egress Untagged")
	m.shows(t, "bridge fdb show dev ovl2-blue", "0a:00:00:00:00:01 vlan 11 master evbr-fabric static")
	m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.1 lladdr 0a:00:00:00:00:01 PERMANENT", "fd10::1 lladdr 0a:00:00:00:00:01 PERMANENT")
	if p := m.vswitch.ports["ovl2-blue"]; p != (vswitch.Port{Name: "ovl2-blue", LogicalPort: "macvrf-cluster_udn_blue_ovn_layer2_switch", MTU: 1400, Ours: true}) {
		t.Errorf("port %+v", p)
	}
	m.sync(t, podsOf(pod), blue())
	m.settled(t, podsOf(pod), blue())
	m.shows(t, "bridge vlan tunnelshow", "110", "!111")
	m.shows(t, "ip link", "!svl2-red", "!ovl2-red", "svl2-blue")
	m.sync(t, nil)
	m.settled(t, nil)
	m.shows(t, "ip link", "!blue@", "!evbr-fabric", "!evx4-fabric", "!ovl2-blue", "theirs", "vxlan9", "ovn-k8s-mp5")
}

// TestKeeperCorrects: whatever is wrong is put right, with one pass.
func TestKeeperCorrects(t *testing.T) {
	m := manage(t)
	m.sync(t, podsOf(pod), blue())
	for _, harm := range []string{
		"ip link set svl2-blue down; ip link set svl2-blue up",
		"ip link set svl2-blue down",
		"ip link set svl3-blue nomaster",
		"ip link set svl2-blue master red",
		"ip link set svl2-blue addrgenmode eui64",
		"ip link set evbr-fabric down",
		"ip link set evbr-fabric address 02:00:00:00:00:99",
		"ip link set evbr-fabric type bridge vlan_filtering 0",
		"ip link set evbr-fabric type bridge vlan_default_pvid 5",
		"ip link set evx4-fabric alias mine",
		"ip link set evx4-fabric down",
		"ip link set evx4-fabric mtu 1300",
		"ip link set evx4-fabric nomaster",
		"ip link set evx4-fabric type bridge_slave vlan_tunnel off",
		"ip link set evx4-fabric type bridge_slave learning on isolated off neigh_suppress off",
		"bridge vni del dev evx4-fabric vni 210",
		"bridge vni add dev evx4-fabric vni 300-310",
		"bridge vlan del dev evx4-fabric vid 12",
		"bridge vlan del dev evbr-fabric vid 12 self",
		"bridge vlan add dev evbr-fabric vid 99 self",
		"bridge vlan del dev evx4-fabric vid 12 tunnel_info id 210; bridge vlan add dev evx4-fabric vid 12 tunnel_info id 999",
		"ip link set ovl2-blue nomaster",
		"ip link set ovl2-blue down",
		"bridge vlan add dev ovl2-blue vid 12 pvid untagged master",
		"bridge fdb del 0a:00:00:00:00:01 dev ovl2-blue master vlan 11",
		"bridge fdb add 0a:00:00:00:00:07 dev ovl2-blue master static vlan 11",
		"ip neigh del 10.10.0.1 dev svl2-blue",
		"ip neigh replace 10.10.0.1 lladdr 0a:00:00:00:00:07 dev svl2-blue nud permanent",
		"ip neigh add 10.10.0.7 lladdr 0a:00:00:00:00:07 dev svl2-blue nud permanent",
		"ip link del svl3-blue",
		"ip link del svl2-blue",
		"ip link del evx4-fabric",
		"ip link del evbr-fabric",
	} {
		execute(t, m.Namespace, harm)
		changed := m.sync(t, podsOf(pod), blue()).Changes
		if len(changed) == 0 {
			t.Errorf("nothing was done after %q", harm)
		}
		m.settled(t, podsOf(pod), blue())
		if t.Failed() {
			t.Fatalf("after %q: %v", harm, changed)
		}
	}
	m.shows(t, "ip link show evbr-fabric", evpn.RouterMAC("fabric", "node1"))
}

// TestKeeperFollowsNumbers: numbers and addresses that change are followed, and the
// devices that can take the new ones stay.
func TestKeeperFollowsNumbers(t *testing.T) {
	m := manage(t)
	m.sync(t, podsOf(pod), blue())
	index := func(device string) string { return strings.Fields(m.Exec(t, "ip", "-o", "link", "show", device))[0] }
	bridge, vxlan, l3 := index("evbr-fabric"), index("evx4-fabric"), index("svl3-blue")
	n := blue()
	n.Endpoint = netip.MustParseAddr("100.64.0.2")
	m.sync(t, podsOf(pod), n)
	m.settled(t, podsOf(pod), n)
	m.shows(t, "ip -d link show evx4-fabric", "local 100.64.0.2")
	n.MACVRF.VNI = 120
	m.sync(t, podsOf(pod), n)
	m.settled(t, podsOf(pod), n)
	if index("svl3-blue") != l3 {
		t.Error("the IP-VRF's VLAN device was made anew")
	}
	n.MACVRF.VID, n.IPVRF.VID = n.IPVRF.VID, n.MACVRF.VID
	m.sync(t, podsOf(pod), n)
	m.settled(t, podsOf(pod), n)
	m.shows(t, "bridge fdb show dev ovl2-blue", "0a:00:00:00:00:01 vlan 12 master evbr-fabric static", "!vlan 11 master evbr-fabric static")
	if index("evbr-fabric") != bridge || index("evx4-fabric") != vxlan {
		t.Error("the VTEP's devices were made anew")
	}
	// The VXLAN device has to be made anew for another port.
	m.IP(t, "link del evx4-fabric", "link add evx4-fabric group 1870032482 type vxlan external vnifilter local 100.64.0.2 dstport 4790")
	m.sync(t, podsOf(pod), n)
	m.settled(t, podsOf(pod), n)
}

// TestKilled kills the agent after every change. The next one needs no memory.
func TestKilled(t *testing.T) {
	m := manage(t)
	for _, wanted := range [][]evpn.Network{{blue()}, {}, {blue(), red()}, {red()}, {}} {
		hosts := podsOf(pod)
		for step := 0; ; step++ {
			if step > 200 {
				t.Fatal("there is no end of it")
			}
			report, err := m.agent().SyncFirst(t.Context(), wanted, hosts, 1)
			if err != nil {
				t.Fatalf("step %d to %v: %v", step, wanted, err)
			}
			if len(report.Changes) == 0 {
				break
			}
		}
		m.settled(t, hosts, wanted...)
	}
	m.shows(t, "ip link", "!evbr-fabric", "!evx4-fabric", "!svl", "!ovl2")
}

// TestZebrasEntries: what zebra has of other nodes' hosts stays.
func TestZebrasEntries(t *testing.T) {
	m := manage(t)
	m.sync(t, podsOf(pod), blue())
	zebra := func(mac, address string) {
		execute(t, m.Namespace, "bridge fdb replace "+mac+" dev evx4-fabric master extern_learn vlan 11; ip neigh replace "+address+" lladdr "+mac+" dev svl2-blue nud noarp extern_learn proto zebra")
	}
	zebra("0a:00:00:00:00:09", "10.10.0.9")
	// So zebra leaves a host that moved while its entries were still there.
	execute(t, m.Namespace, "bridge fdb replace 0a:00:00:00:00:08 dev evx4-fabric master extern_learn vlan 11; ip neigh replace 10.10.0.8 lladdr 0a:00:00:00:00:08 dev svl2-blue nud permanent proto zebra")
	m.settled(t, podsOf(pod), blue())
	m.sync(t, podsOf(), blue())
	m.shows(t, "bridge fdb show dev evx4-fabric", "0a:00:00:00:00:09 vlan 11 extern_learn master evbr-fabric", "0a:00:00:00:00:08 vlan 11 extern_learn master evbr-fabric")
	m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.9", "10.10.0.8", "!10.10.0.1 ", "!fd10::1")
	m.shows(t, "bridge fdb show dev ovl2-blue", "!0a:00:00:00:00:01")
	// A host that comes from another node is the node's own from then on, though the kernel
	// leaves zebra's flag on the entry.
	moved := podsOf(host("0a:00:00:00:00:09", "10.10.0.9"))
	m.sync(t, moved, blue())
	m.settled(t, moved, blue())
	m.shows(t, "bridge fdb show dev ovl2-blue", "0a:00:00:00:00:09 vlan 11 extern_learn master evbr-fabric static")
	m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.9 lladdr 0a:00:00:00:00:09 PERMANENT")
	// And back: zebra was faster than the agent, which must not undo it.
	keeper := m.agent()
	if _, err := keeper.Sync(t.Context(), []evpn.Network{blue()}, moved); err != nil {
		t.Fatal(err)
	}
	zebra("0a:00:00:00:00:09", "10.10.0.9")
	if !keeper.Locate(t.Context(), podsOf()) {
		t.Error("not all could be done")
	}
	m.shows(t, "bridge fdb show dev evx4-fabric", "0a:00:00:00:00:09 vlan 11 extern_learn master evbr-fabric")
	m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.9 lladdr 0a:00:00:00:00:09")
	// Hosts that are not known are no reason to remove any.
	m.sync(t, podsOf(pod), blue())
	if changes := m.sync(t, nil, blue()).Changes; len(changes) > 0 {
		t.Errorf("without known hosts: %v", changes)
	}
}

// TestRouterMACStays: ports come and go, with lower MAC addresses than the bridge's.
func TestRouterMACStays(t *testing.T) {
	m := manage(t)
	mac := evpn.RouterMAC("fabric", "node1")
	for range 3 {
		m.sync(t, nil, blue(), red())
		m.IP(t, "link set ovl2-red address 00:00:00:00:00:11")
		m.shows(t, "ip link show evbr-fabric", mac)
		m.shows(t, "ip link show svl3-blue", mac)
		m.sync(t, nil, blue())
		m.shows(t, "ip link show evbr-fabric", mac)
	}
}

// TestLeftAlone: the agent makes nothing where OVN-Kubernetes' node component does, or
// where somebody else's device is in the way, and says so where something lacks.
func TestLeftAlone(t *testing.T) {
	for _, test := range []struct {
		there  string
		reason evpn.Reason
		says   string
	}{
		{"ip link add dev x0 type bridge; ip link set x0 alias ovn-k8s-ndm:bridge:evbr-other", evpn.ReasonMadeByOVNKubernetes, "device x0"},
		{"ip link add evbr-fabric type bridge", evpn.ReasonNameTaken, "evbr-fabric"},
		{"ip link add evx4-fabric type vxlan id 7 dstport 4789", evpn.ReasonNameTaken, "evx4-fabric"},
		{"ip link add flannel.1 type vxlan id 1 local 100.64.0.1 dstport 4789; ip link set flannel.1 up", evpn.ReasonUDPPortTaken, "flannel.1"},
	} {
		m := manage(t)
		execute(t, m.Namespace, test.there)
		report := m.sync(t, podsOf(pod), blue())
		if s := report.Networks[0]; len(report.Changes) > 0 || s.Reason != test.reason || !strings.Contains(s.Problem, test.says) {
			t.Errorf("%s: %v, %s: %s", test.there, report.Changes, s.Reason, s.Problem)
		}
	}
	m := manage(t)
	m.vswitch.ports["other"] = vswitch.Port{Name: "other", ByOVNKubernetes: true}
	if report := m.sync(t, podsOf(pod), blue()); len(report.Changes) > 0 || report.Networks[0].Reason != evpn.ReasonMadeByOVNKubernetes {
		t.Errorf("%+v", report)
	}
	// All of OVN-Kubernetes' own devices are there: nothing to tell.
	whole := &managed{place(t), nil}
	whole.vswitch = &dummySwitch{ns: whole.Namespace, ports: map[string]vswitch.Port{}}
	whole.settled(t, podsOf(), blue())
	if s := whole.sync(t, podsOf(), blue()).Networks[0]; !s.ByOVNKubernetes || s.ByAgent {
		t.Errorf("%+v", s)
	}
}

// TestVRFComesLater: all but the VLAN devices is made without the VRF.
func TestVRFComesLater(t *testing.T) {
	m := manage(t)
	m.IP(t, "link del blue")
	if s := m.sync(t, podsOf(pod), blue()).Networks[0]; s.Reason != evpn.ReasonVRFMissing || !s.MACVRF.Carried || s.MACVRF.LocalMACs != 1 {
		t.Errorf("%+v", s)
	}
	if changes := m.sync(t, podsOf(pod), blue()).Changes; len(changes) > 0 {
		t.Errorf("another pass changed %v", changes)
	}
	m.IP(t, "link add blue type vrf table 1005", "link set blue up")
	m.sync(t, podsOf(pod), blue())
	m.settled(t, podsOf(pod), blue())
}

// TestRequests counts what another VNI costs.
func TestRequests(t *testing.T) {
	m := manage(t)
	m.sync(t, podsOf(pod), blue())
	k := m.agent()
	observed, err := k.Observe(t.Context(), []evpn.Network{blue(), red()})
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := evpn.Plan([]evpn.Network{blue(), red()}, podsOf(pod), observed, "node1")
	requests, err := k.Requests(t.Context(), changes, observed)
	if err != nil {
		t.Fatal(err)
	}
	if requests > 10 {
		t.Errorf("another MAC-VRF took %d requests: %v", requests, changes)
	}
	t.Logf("another MAC-VRF takes %d requests", requests)
	m.settled(t, podsOf(pod), blue(), red())
}

// TestSecondVTEP: two VTEPs share the UDP port, as VNI filters allow.
func TestSecondVTEP(t *testing.T) {
	m := manage(t)
	other := red()
	other.VTEP, other.Endpoint = "storage", netip.MustParseAddr("100.64.0.2")
	m.sync(t, nil, blue(), other)
	m.settled(t, nil, blue(), other)
}

// TestHostMovesDuringPass: a host that comes or goes while a pass is under way doesn't wait
// for it, and the pass doesn't undo it.
func TestHostMovesDuringPass(t *testing.T) {
	m := manage(t)
	keeper := m.agent()
	if _, err := keeper.Sync(t.Context(), []evpn.Network{blue()}, podsOf(pod)); err != nil {
		t.Fatal(err)
	}
	execute(t, m.Namespace, "bridge fdb del 0a:00:00:00:00:01 dev ovl2-blue master vlan 11; ip neigh del 10.10.0.1 dev svl2-blue")
	other := podsOf(host("0a:00:00:00:00:02", "10.10.0.2"))
	m.vswitch.adding = func(string) {
		if !keeper.Locate(t.Context(), other) {
			t.Error("not all could be done")
		}
		m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.2 lladdr 0a:00:00:00:00:02 PERMANENT", "!fd10::1")
	}
	if _, err := keeper.Sync(t.Context(), []evpn.Network{blue(), red()}, podsOf(pod)); err != nil {
		t.Fatal(err)
	}
	m.vswitch.adding = nil
	m.shows(t, "bridge fdb show dev ovl2-blue", "0a:00:00:00:00:02 vlan 11", "!0a:00:00:00:00:01 vlan 11")
	m.shows(t, "ip neigh show dev svl2-blue", "10.10.0.2", "!10.10.0.1 ")
	m.settled(t, other, blue(), red())
}

// TestFaults: what fails is told with its network, and stops no other one. What can't be
// read is not known, and nothing is changed.
func TestFaults(t *testing.T) {
	m := manage(t)
	m.IP(t, "link add theirs type vxlan id 111 dstport 4790", "link del theirs")
	m.vswitch.fault = errors.New("the database is away")
	report, err := m.agent().Sync(t.Context(), []evpn.Network{blue()}, nil)
	if err == nil || len(report.Changes) > 0 || report.Networks[0].Reason != evpn.ReasonKernelUnread || !strings.Contains(report.Networks[0].Problem, "away") {
		t.Errorf("%v: %+v", err, report)
	}
	m.vswitch.fault = nil
	// Something else has the VNI.
	m.IP(t, "link add theirs type vxlan external vnifilter local 100.64.0.2 dstport 4789")
	execute(t, m.Namespace, "bridge vni add dev theirs vni 111")
	report, err = m.agent().Sync(t.Context(), []evpn.Network{blue(), red()}, podsOf(pod))
	if err == nil {
		t.Error("no error")
	}
	for _, s := range report.Networks {
		if wrong := s.Reason == evpn.ReasonKernelRefused && strings.Contains(s.Problem, "another VXLAN device of the node has the VNI"); wrong != (s.Network == red().Name) {
			t.Errorf("%s: %s: %s", s.Network, s.Reason, s.Problem)
		}
	}
	m.IP(t, "link del theirs")
	m.sync(t, podsOf(pod), blue(), red())
	m.settled(t, podsOf(pod), blue(), red())
}
