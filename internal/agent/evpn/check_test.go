package evpn_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
)

var endpoint = netip.MustParseAddr("100.64.0.1")

func blue() evpn.Network {
	return evpn.Network{
		Name: "cluster_udn_blue", VRF: "blue", ID: 5, VTEP: "fabric", Endpoint: endpoint,
		MACVRF: evpn.VPN{VNI: 110, VID: 11}, IPVRF: evpn.VPN{VNI: 210, VID: 12},
	}
}

// Indexes of the devices that a whole node has.
const (
	uplink int32 = iota + 1
	loop
	bridge
	vxlan
	vrf
	svl3
	svl2
	ovl2
	management
)

// whole is a node that has all of the network blue.
func whole() *evpn.Observed {
	vlan := func(name string, index int32, vid uint16) evpn.Device {
		return evpn.Device{Name: name, Index: index, Kind: "vlan", Parent: bridge, Master: vrf, VID: vid, Up: true, MTU: 1400}
	}
	return &evpn.Observed{
		Devices: []evpn.Device{
			{Name: "eth0", Index: uplink, MTU: 1500, Up: true},
			{Name: "loop0", Index: loop, Kind: "dummy", MTU: 1500, Up: true},
			{Name: "evbr-fabric", Index: bridge, Kind: "bridge", Up: true, MTU: 1400, MAC: "02:00:00:00:00:01", Alias: "ovn-k8s-ndm: bridge",
				Bridge: evpn.Bridge{VLANFiltering: true}},
			{Name: "evx4-fabric", Index: vxlan, Kind: "vxlan", Master: bridge, Up: true, MTU: 1400,
				VXLAN: evpn.VXLAN{External: true, VNIFilter: true, Local: endpoint, UDPPort: 4789},
				Port:  evpn.Port{VLANTunnel: true, NeighSuppress: true}},
			{Name: "blue", Index: vrf, Kind: "vrf", Up: true},
			vlan("svl3-blue", svl3, 12), vlan("svl2-blue", svl2, 11),
			{Name: "ovl2-blue", Index: ovl2, Kind: "openvswitch", Master: bridge, Up: true, MTU: 1400},
			{Name: "ovn-k8s-mp5", Index: management, Kind: "openvswitch", Up: true, MTU: 1400},
		},
		VLANs: map[evpn.PortVLAN]evpn.VLAN{
			{Device: bridge, VID: 11}: {}, {Device: bridge, VID: 12}: {}, {Device: vxlan, VID: 11}: {}, {Device: vxlan, VID: 12}: {},
			{Device: ovl2, VID: 11}: {PVID: true, Untagged: true},
		},
		Tunnels:   map[evpn.PortVLAN]uint32{{Device: vxlan, VID: 11}: 110, {Device: vxlan, VID: 12}: 210},
		VNIs:      []evpn.VNIRange{{Device: vxlan, First: 105, Last: 115}, {Device: vxlan, First: 210, Last: 210}},
		Addresses: map[netip.Addr]int32{endpoint: loop},
		MACs:      map[evpn.PortVLAN]evpn.Count{{Device: ovl2, VID: 11}: {Fixed: 3}, {Device: vxlan, VID: 11}: {Learned: 7}, {Device: vxlan, VID: 12}: {Learned: 2}},
		Neighbors: map[int32]evpn.Count{svl2: {Fixed: 6, Learned: 9}, svl3: {Learned: 2}},
		Endpoints: map[evpn.DeviceVNI]int{{Device: vxlan, VNI: 110}: 4},
		Underlays: map[netip.Addr]evpn.Underlay{endpoint: {Device: "eth0", MTU: 1500}},
	}
}

func TestWholeNode(t *testing.T) {
	got := evpn.Check([]evpn.Network{blue()}, whole(), false)
	want := evpn.State{
		Network: "cluster_udn_blue", VTEP: "fabric", Endpoint: endpoint, Bridge: "evbr-fabric", VXLAN: "evx4-fabric",
		ByOVNKubernetes: true, RouterMAC: "02:00:00:00:00:01", MTU: 1400, UnderlayMTU: 1500, Underlay: "eth0",
		MACVRF: evpn.VPNState{VPN: blue().MACVRF, Carried: true, SVI: "svl2-blue", LocalMACs: 3, LocalAddresses: 6, RemoteMACs: 7, RemoteAddresses: 9, RemoteEndpoints: 4},
		IPVRF:  evpn.VPNState{VPN: blue().IPVRF, Carried: true, SVI: "svl3-blue", RemoteMACs: 2, RemoteAddresses: 2},
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// on changes a device.
func on(name string, change func(*evpn.Device)) func(*evpn.Network, *evpn.Observed) {
	return func(_ *evpn.Network, o *evpn.Observed) {
		i := slices.IndexFunc(o.Devices, func(d evpn.Device) bool { return d.Name == name })
		change(&o.Devices[i])
	}
}

func without(name string) func(*evpn.Network, *evpn.Observed) {
	return func(_ *evpn.Network, o *evpn.Observed) {
		o.Devices = slices.DeleteFunc(o.Devices, func(d evpn.Device) bool { return d.Name == name })
	}
}

func node(change func(*evpn.Observed)) func(*evpn.Network, *evpn.Observed) {
	return func(_ *evpn.Network, o *evpn.Observed) { change(o) }
}

func network(change func(*evpn.Network)) func(*evpn.Network, *evpn.Observed) {
	return func(n *evpn.Network, _ *evpn.Observed) { change(n) }
}

// TestHarm harms a whole node in one way each.
func TestHarm(t *testing.T) {
	for _, test := range []struct {
		harm   func(*evpn.Network, *evpn.Observed)
		reason evpn.Reason
		says   string
	}{
		{network(func(n *evpn.Network) { n.Problem = "it is broken" }), evpn.ReasonNetworkUnknown, "it is broken"},
		{network(func(n *evpn.Network) { n.VRF = "" }), evpn.ReasonNetworkUnknown, "VRF device"},
		{network(func(n *evpn.Network) { n.Endpoint = netip.Addr{} }), evpn.ReasonNetworkUnknown, `VTEP "fabric"`},
		{network(func(n *evpn.Network) { n.MACVRF.VID = 0 }), evpn.ReasonNetworkUnknown, "VLAN of VNI 110"},
		{network(func(n *evpn.Network) { n.Name, n.ID = "cluster_udn_a-longer-name", 0 }), evpn.ReasonNetworkUnknown, "ID"},
		{network(func(n *evpn.Network) { n.Name = "cluster_udn_a-longer-name" }), evpn.ReasonSVIMissing, "svl3.5"},
		{node(func(o *evpn.Observed) { o.Addresses = nil }), evpn.ReasonAddressMissing, "100.64.0.1"},
		{without("evbr-fabric"), evpn.ReasonBridgeMissing, "evbr-fabric is not on the node"},
		{on("evbr-fabric", func(d *evpn.Device) { d.Kind = "dummy" }), evpn.ReasonBridgeMissing, "is a dummy device"},
		{on("evbr-fabric", func(d *evpn.Device) { d.Up = false }), evpn.ReasonBridgeWrong, "is down"},
		{on("evbr-fabric", func(d *evpn.Device) { d.Bridge.VLANFiltering = false }), evpn.ReasonBridgeWrong, "vlan_filtering"},
		{on("evbr-fabric", func(d *evpn.Device) { d.Bridge.DefaultPVID = 1 }), evpn.ReasonBridgeWrong, "VLAN 1"},
		{without("evx4-fabric"), evpn.ReasonVXLANMissing, "evx4-fabric is not on the node"},
		{on("evx4-fabric", func(d *evpn.Device) { d.Up = false }), evpn.ReasonVXLANWrong, "is down"},
		{on("evx4-fabric", func(d *evpn.Device) { d.Master = 0 }), evpn.ReasonVXLANWrong, "not a port of evbr-fabric"},
		{on("evx4-fabric", func(d *evpn.Device) { d.VXLAN.External = false }), evpn.ReasonVXLANWrong, "external"},
		{on("evx4-fabric", func(d *evpn.Device) { d.VXLAN.UDPPort = 8472 }), evpn.ReasonVXLANWrong, "8472"},
		{on("evx4-fabric", func(d *evpn.Device) { d.VXLAN.Local = netip.MustParseAddr("10.0.0.1") }), evpn.ReasonVXLANWrong, "10.0.0.1 instead of 100.64.0.1"},
		{on("evx4-fabric", func(d *evpn.Device) { d.Port.VLANTunnel = false }), evpn.ReasonVXLANWrong, "vlan_tunnel"},
		{on("evx4-fabric", func(d *evpn.Device) { d.Port.NeighSuppress = false }), evpn.ReasonVXLANWrong, "neigh_suppress"},
		{on("evx4-fabric", func(d *evpn.Device) { d.Port.Learning = true }), evpn.ReasonVXLANWrong, "learning"},
		{on("evx4-fabric", func(d *evpn.Device) { d.VXLAN.VNIFilter = false }), evpn.ReasonNoVNIFilter, "evx4-fabric"},
		{node(func(o *evpn.Observed) { o.VNIs = o.VNIs[1:] }), evpn.ReasonVNIMissing, "VNI 110: the VNI is not in"},
		{node(func(o *evpn.Observed) { delete(o.Tunnels, evpn.PortVLAN{Device: vxlan, VID: 12}) }), evpn.ReasonVNIMissing, "VNI 210: evx4-fabric has no VNI for VLAN 12"},
		{node(func(o *evpn.Observed) { o.Tunnels[evpn.PortVLAN{Device: vxlan, VID: 12}] = 99 }), evpn.ReasonVNIMissing, "has VNI 99"},
		{node(func(o *evpn.Observed) { delete(o.VLANs, evpn.PortVLAN{Device: vxlan, VID: 11}) }), evpn.ReasonVNIMissing, "evx4-fabric is not in VLAN 11"},
		{node(func(o *evpn.Observed) { delete(o.VLANs, evpn.PortVLAN{Device: bridge, VID: 11}) }), evpn.ReasonVNIMissing, "evbr-fabric is not in VLAN 11"},
		{without("blue"), evpn.ReasonVRFMissing, "blue"},
		{without("svl3-blue"), evpn.ReasonSVIMissing, "svl3-blue"},
		{without("svl2-blue"), evpn.ReasonSVIMissing, "svl2-blue"},
		{on("svl3-blue", func(d *evpn.Device) { d.VID = 13 }), evpn.ReasonSVIMissing, "VLAN 13 of evbr-fabric"},
		{on("svl3-blue", func(d *evpn.Device) { d.Parent = uplink }), evpn.ReasonSVIMissing, "VLAN 12 of eth0"},
		{on("svl2-blue", func(d *evpn.Device) { d.Up = false }), evpn.ReasonSVIDown, "ip link set svl2-blue up"},
		{on("svl3-blue", func(d *evpn.Device) { d.Master = 0 }), evpn.ReasonSVIWrongVRF, "in no VRF instead of VRF blue"},
		{on("svl2-blue", func(d *evpn.Device) { d.Master = bridge }), evpn.ReasonSVIWrongVRF, "in evbr-fabric"},
		{without("ovl2-blue"), evpn.ReasonPortMissing, "ovl2-blue"},
		{on("ovl2-blue", func(d *evpn.Device) { d.Up = false }), evpn.ReasonPortWrong, "is down"},
		{on("ovl2-blue", func(d *evpn.Device) { d.Master = 0 }), evpn.ReasonPortWrong, "not a port of"},
		{node(func(o *evpn.Observed) { o.VLANs[evpn.PortVLAN{Device: ovl2, VID: 11}] = evpn.VLAN{PVID: true} }), evpn.ReasonPortWrong, "VLAN 11"},
		{node(func(o *evpn.Observed) { o.Underlays[endpoint] = evpn.Underlay{Device: "eth0", MTU: 1449} }), evpn.ReasonMTUTooSmall, "MTU 1449, and the network's MTU of 1400 needs 1450"},
		{on("ovn-k8s-mp5", func(d *evpn.Device) { d.MTU = 1451 }), evpn.ReasonMTUTooSmall, "1501"},
		{node(func(o *evpn.Observed) { delete(o.Neighbors, svl2) }), evpn.ReasonNeighborsMissing, "3 MAC addresses"},
	} {
		n, o := blue(), whole()
		test.harm(&n, o)
		got := evpn.Check([]evpn.Network{n}, o, false)[0]
		if got.Reason != test.reason || !strings.Contains(got.Problem, test.says) {
			t.Errorf("%s (%s): got %s: %s", test.reason, test.says, got.Reason, got.Problem)
		}
		if test.reason == evpn.ReasonVNIMissing && got.MACVRF.Carried && got.IPVRF.Carried {
			t.Errorf("%s: both VNIs count as carried", got.Problem)
		}
	}
}

// TestNoHarm: what isn't wanted, or can't be known, is no problem.
func TestNoHarm(t *testing.T) {
	for name, change := range map[string]func(*evpn.Network, *evpn.Observed){
		"no MAC-VRF, and no port": func(n *evpn.Network, o *evpn.Observed) {
			n.MACVRF = evpn.VPN{}
			without("ovl2-blue")(n, o)
			without("svl2-blue")(n, o)
		},
		"no IP-VRF":           func(n *evpn.Network, o *evpn.Observed) { n.IPVRF = evpn.VPN{}; without("svl3-blue")(n, o) },
		"no pods on the node": node(func(o *evpn.Observed) { o.MACs, o.Neighbors = nil, nil }),
		"underlay not known":  node(func(o *evpn.Observed) { o.Underlays = nil }),
		"just wide enough":    node(func(o *evpn.Observed) { o.Underlays[endpoint] = evpn.Underlay{Device: "eth0", MTU: 1450} }),
		"made by hand":        on("evbr-fabric", func(d *evpn.Device) { d.Alias = "mine" }),
	} {
		n, o := blue(), whole()
		change(&n, o)
		if got := evpn.Check([]evpn.Network{n}, o, false)[0]; got.Reason != "" || got.Problem != "" {
			t.Errorf("%s: %s: %s", name, got.Reason, got.Problem)
		}
	}
}

// TestSeveralFaults: all are told, and the first names the state.
func TestSeveralFaults(t *testing.T) {
	o := whole()
	o.Addresses = nil
	without("svl2-blue")(nil, o)
	got := evpn.Check([]evpn.Network{blue()}, o, false)[0]
	if got.Reason != evpn.ReasonAddressMissing || !strings.Contains(got.Problem, "svl2-blue") || strings.Count(got.Problem, "; ") != 1 {
		t.Errorf("%s: %s", got.Reason, got.Problem)
	}
	red := blue()
	red.Name, red.VRF = "cluster_udn_Red", ""
	states := evpn.Check([]evpn.Network{blue(), red}, whole(), false)
	if len(states) != 2 || states[0].Network != red.Name || states[0].Reason != evpn.ReasonNetworkUnknown || states[1].Reason != "" {
		t.Errorf("%+v", states)
	}
	if unread := evpn.Unread([]evpn.Network{blue()}, errors.New("no right")); unread[0].Reason.Decided() || !strings.Contains(unread[0].Problem, "no right") {
		t.Errorf("%+v", unread)
	}
}
