package evpn_test

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

// These tests need a kernel with VRF, VXLAN and bridges that filter VLANs. Where there is
// none, run
//
//	make test-vm PKG=./internal/agent/evpn

// made are the devices of the network blue, as OVN-Kubernetes' node component makes them,
// but for OVN's port, which is one end of a pair here.
var made = []string{
	"link add loop0 type dummy", "link set loop0 up", "addr add 100.64.0.1/32 dev loop0",
	"link add evbr-fabric address 02:00:00:00:00:01 type bridge vlan_filtering 1 vlan_default_pvid 0",
	"link set evbr-fabric alias ovn-k8s-ndm:bridge:evbr-fabric", "link set evbr-fabric up",
	"link add evx4-fabric type vxlan external vnifilter local 100.64.0.1 dstport 4789 nolearning",
	"link set evx4-fabric master evbr-fabric", "link set evx4-fabric mtu 1400", "link set evx4-fabric up",
	"link set evx4-fabric type bridge_slave vlan_tunnel on neigh_suppress on learning off isolated on",
	"link add blue type vrf table 1005", "link set blue up",
	"link add svl3-blue link evbr-fabric type vlan id 12", "link set svl3-blue master blue", "link set svl3-blue up",
	"link add svl2-blue link evbr-fabric type vlan id 11", "link set svl2-blue master blue", "link set svl2-blue up",
	"link add ovl2-blue mtu 1400 type veth peer name ovn", "link set ovl2-blue master evbr-fabric", "link set ovl2-blue up", "link set ovn up",
}

// mapped are the VLANs and VNIs.
var mapped = []string{
	"bridge vlan add dev evx4-fabric vid 11-12", "bridge vni add dev evx4-fabric vni 110", "bridge vni add dev evx4-fabric vni 210",
	"bridge vlan add dev evx4-fabric vid 11 tunnel_info id 110", "bridge vlan add dev evx4-fabric vid 12 tunnel_info id 210",
	"bridge vlan add dev evbr-fabric vid 11 self", "bridge vlan add dev evbr-fabric vid 12 self",
	"bridge vlan add dev ovl2-blue vid 11 pvid untagged master",
}

// hosts are a pod on the node, and one that zebra learned from another.
var hosts = []string{
	"bridge fdb add 0a:00:00:00:00:01 dev ovl2-blue master static vlan 11",
	"ip neigh add 10.10.0.1 lladdr 0a:00:00:00:00:01 dev svl2-blue nud permanent",
	"ip neigh add fd10::1 lladdr 0a:00:00:00:00:01 dev svl2-blue nud permanent",
	"bridge fdb add 00:00:00:00:00:00 dev evx4-fabric dst 172.18.0.9 src_vni 110 self permanent",
	"bridge fdb add 0a:00:00:00:00:09 dev evx4-fabric dst 172.18.0.9 src_vni 110 self extern_learn",
	"bridge fdb add 0a:00:00:00:00:09 dev evx4-fabric master extern_learn vlan 11",
	"ip neigh add 10.10.0.9 lladdr 0a:00:00:00:00:09 dev svl2-blue nud noarp extern_learn proto zebra",
}

// place is a namespace with the network blue.
func place(t *testing.T) *testns.Namespace {
	t.Helper()
	ns := bare(t)
	ns.IP(t, made...)
	for _, command := range slices.Concat(mapped, hosts) {
		execute(t, ns, command)
	}
	return ns
}

// bare is a namespace whose kernel can make the devices.
func bare(t testing.TB) *testns.Namespace {
	t.Helper()
	ns := testns.New(t)
	if out, err := ns.Try("link add probe0 type bridge vlan_filtering 1", "link add probe1 type vxlan external vnifilter dstport 4790", "link add probe2 type vrf table 1"); err != nil {
		complain := t.Skipf
		if os.Getenv("OVNBGP_VM") != "" {
			complain = t.Fatalf
		}
		complain("NOT TESTED: this kernel can't make the devices; run: make test-vm PKG=./internal/agent/evpn\n%s", out)
	}
	ns.IP(t, "link del probe0", "link del probe1", "link del probe2")
	return ns
}

// execute runs commands in the namespace.
func execute(t testing.TB, ns *testns.Namespace, commands string) {
	t.Helper()
	for command := range strings.SplitSeq(commands, "; ") {
		words := strings.Fields(command)
		ns.Exec(t, words[0], words[1:]...)
	}
}

func check(t *testing.T, ns *testns.Namespace) evpn.State {
	t.Helper()
	observed, err := evpn.Observe(ns.Handle, []evpn.Network{blue()})
	if err != nil {
		t.Fatal(err)
	}
	return evpn.Check([]evpn.Network{blue()}, observed, false)[0]
}

func TestObserve(t *testing.T) {
	ns := place(t)
	want := evpn.State{
		Network: "cluster_udn_blue", VTEP: "fabric", Endpoint: endpoint, Bridge: "evbr-fabric", VXLAN: "evx4-fabric",
		ByOVNKubernetes: true, RouterMAC: "02:00:00:00:00:01", MTU: 1400, UnderlayMTU: 1500, Underlay: "gw0",
		MACVRF: evpn.VPNState{VPN: blue().MACVRF, Carried: true, SVI: "svl2-blue", LocalMACs: 1, LocalAddresses: 2, RemoteMACs: 1, RemoteAddresses: 1, RemoteEndpoints: 1},
		IPVRF:  evpn.VPNState{VPN: blue().IPVRF, Carried: true, SVI: "svl3-blue"},
	}
	if got := check(t, ns); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, test := range []struct {
		harm, repair string
		reason       evpn.Reason
	}{
		{"ip link set gw0 mtu 1449", "ip link set gw0 mtu 1500", evpn.ReasonMTUTooSmall},
		{"bridge vni del dev evx4-fabric vni 210", "bridge vni add dev evx4-fabric vni 210", evpn.ReasonVNIMissing},
		{"bridge vlan del dev evx4-fabric vid 12 tunnel_info id 210", "bridge vlan add dev evx4-fabric vid 12 tunnel_info id 210", evpn.ReasonVNIMissing},
		{"bridge vlan del dev evbr-fabric vid 12 self", "bridge vlan add dev evbr-fabric vid 12 self", evpn.ReasonVNIMissing},
		{"bridge vlan add dev ovl2-blue vid 11 master", "bridge vlan add dev ovl2-blue vid 11 pvid untagged master", evpn.ReasonPortWrong},
		{"ip link set svl3-blue nomaster", "ip link set svl3-blue master blue", evpn.ReasonSVIWrongVRF},
		{"ip link set svl3-blue down", "ip link set svl3-blue up", evpn.ReasonSVIDown},
		{"ip link set evbr-fabric type bridge vlan_filtering 0", "ip link set evbr-fabric type bridge vlan_filtering 1", evpn.ReasonBridgeWrong},
		{"ip link set evx4-fabric type bridge_slave neigh_suppress off", "ip link set evx4-fabric type bridge_slave neigh_suppress on", evpn.ReasonVXLANWrong},
		// With the setting the kernel drops the VNIs of all VLANs.
		{"ip link set evx4-fabric type bridge_slave vlan_tunnel off", "ip link set evx4-fabric type bridge_slave vlan_tunnel on", evpn.ReasonVXLANWrong},
		{"ip link show blue", "bridge vlan add dev evx4-fabric vid 11 tunnel_info id 110; bridge vlan add dev evx4-fabric vid 12 tunnel_info id 210", evpn.ReasonVNIMissing},
		{"ip link set evx4-fabric type bridge_slave learning on", "ip link set evx4-fabric type bridge_slave learning off", evpn.ReasonVXLANWrong},
		{"ip addr del 100.64.0.1/32 dev loop0", "ip addr add 100.64.0.1/32 dev loop0", evpn.ReasonAddressMissing},
		// The kernel drops a device's permanent neighbors when it goes down.
		{"ip link set svl2-blue down", "ip link set svl2-blue up", evpn.ReasonSVIDown},
		{"ip link show svl2-blue", "ip link del svl2-blue", evpn.ReasonNeighborsMissing},
		{"ip link show blue", "ip link del evx4-fabric", evpn.ReasonSVIMissing},
		{"ip link show blue", "ip link del evbr-fabric", evpn.ReasonVXLANMissing},
		{"ip link show blue", "ip link show blue", evpn.ReasonBridgeMissing},
	} {
		execute(t, ns, test.harm)
		if got := check(t, ns); got.Reason != test.reason {
			t.Errorf("after %q: %s: %s; want %s", test.harm, got.Reason, got.Problem, test.reason)
		}
		execute(t, ns, test.repair)
	}
}

// TestLoopFollows: events lead to a report, as an interval of an hour can't. Devices that
// are nobody's don't.
func TestLoopFollows(t *testing.T) {
	ns := place(t)
	reported := make(chan []evpn.State, 100)
	loop := evpn.NewLoop(logr.Discard())
	loop.Namespace, loop.Pause, loop.Interval = ns.Handle, 10*time.Millisecond, time.Hour
	loop.Report = func(report evpn.Report) { reported <- report.Networks }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	loop.Apply(nil)
	if states := <-reported; len(states) != 0 {
		t.Errorf("without networks: %+v", states)
	}
	loop.Apply([]evpn.Network{blue()})
	await := func(reason evpn.Reason) {
		t.Helper()
		late := time.After(30 * time.Second)
		for {
			select {
			case states := <-reported:
				if len(states) == 1 && states[0].Reason == reason {
					return
				}
			case <-late:
				t.Fatalf("no report with reason %q", reason)
			}
		}
	}
	await("")
	for _, test := range []struct {
		harm, repair string
		reason       evpn.Reason
	}{
		{"ip link set svl3-blue nomaster", "ip link set svl3-blue master blue", evpn.ReasonSVIWrongVRF},
		{"ip addr del 100.64.0.1/32 dev loop0", "ip addr add 100.64.0.1/32 dev loop0", evpn.ReasonAddressMissing},
		{"bridge vlan del dev evx4-fabric vid 12 tunnel_info id 210", "bridge vlan add dev evx4-fabric vid 12 tunnel_info id 210", evpn.ReasonVNIMissing},
	} {
		execute(t, ns, test.harm)
		await(test.reason)
		execute(t, ns, test.repair)
		await("")
	}
}

// TestUnderlays: without another end it is the link with the address, or the default
// route's where a dummy has it.
func TestUnderlays(t *testing.T) {
	ns := testns.New(t)
	network := blue()
	network.Endpoint = netip.MustParseAddr("172.18.0.1")
	underlay := func() evpn.Underlay {
		t.Helper()
		observed, err := evpn.Observe(ns.Handle, []evpn.Network{network})
		if err != nil {
			t.Fatal(err)
		}
		return observed.Underlays[network.Endpoint]
	}
	if got := underlay(); got != (evpn.Underlay{Device: "gw0", MTU: 1500}) {
		t.Errorf("the link with the address: %+v", got)
	}
	network.Endpoint = endpoint
	if got := underlay(); got != (evpn.Underlay{}) {
		t.Errorf("an address that is nowhere: %+v", got)
	}
	ns.IP(t, "addr add 100.64.0.1/32 dev lo")
	if got := underlay(); got != (evpn.Underlay{}) {
		t.Errorf("no default route: %+v", got)
	}
	ns.IP(t, "link set other0 mtu 9000", "route add default via 172.19.0.2")
	if got := underlay(); got != (evpn.Underlay{Device: "other0", MTU: 9000}) {
		t.Errorf("the default route's link: %+v", got)
	}
	observed, err := evpn.Observe(ns.Handle, nil)
	if err != nil || !slices.ContainsFunc(observed.Devices, func(d evpn.Device) bool { return d.Name == "lo" && d.Loopback }) {
		t.Errorf("%v: %+v", err, observed)
	}
}
