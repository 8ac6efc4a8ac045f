package evpn

import (
	"net/netip"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// message puts a header and attributes together.
func message(header []byte, attributes ...*nl.RtAttr) []byte {
	out := slices.Clone(header)
	for _, a := range attributes {
		out = append(out, a.Serialize()...)
	}
	return out
}

func linkHeader(index int32) []byte {
	header := nl.NewIfInfomsg(unix.AF_BRIDGE)
	header.Index = index
	return header.Serialize()
}

func nested(kind int, inside ...*nl.RtAttr) *nl.RtAttr {
	out := nl.NewRtAttr(kind, nil)
	for _, a := range inside {
		out.AddChild(a)
	}
	return out
}

func vlanInfo(vid, flags uint16) *nl.RtAttr {
	info := &nl.BridgeVlanInfo{Vid: vid, Flags: flags}
	return nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_INFO, info.Serialize())
}

func tunnelInfo(vid uint16, vni uint32, flags uint16) *nl.RtAttr {
	return nested(nl.IFLA_BRIDGE_VLAN_TUNNEL_INFO,
		nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_ID, nl.Uint32Attr(vni)),
		nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_VID, nl.Uint16Attr(vid)),
		nl.NewRtAttr(nl.IFLA_BRIDGE_VLAN_TUNNEL_FLAGS, nl.Uint16Attr(flags)))
}

// TestVLANRanges: the kernel writes neighbouring VLANs, and VNIs, as ranges.
func TestVLANRanges(t *testing.T) {
	text := message(linkHeader(7), nested(unix.IFLA_AF_SPEC,
		vlanInfo(2, nl.BRIDGE_VLAN_INFO_RANGE_BEGIN), vlanInfo(4, nl.BRIDGE_VLAN_INFO_RANGE_END), vlanInfo(9, nl.BRIDGE_VLAN_INFO_PVID|nl.BRIDGE_VLAN_INFO_UNTAGGED),
		tunnelInfo(2, 100, nl.BRIDGE_VLAN_INFO_RANGE_BEGIN), tunnelInfo(4, 102, nl.BRIDGE_VLAN_INFO_RANGE_END), tunnelInfo(9, 5000, 0)))
	o := &Observed{VLANs: map[PortVLAN]VLAN{}, Tunnels: map[PortVLAN]uint32{}}
	if err := o.decodeVLANs(text); err != nil {
		t.Fatal(err)
	}
	if want := map[PortVLAN]VLAN{{7, 2}: {}, {7, 3}: {}, {7, 4}: {}, {7, 9}: {PVID: true, Untagged: true}}; !reflect.DeepEqual(o.VLANs, want) {
		t.Errorf("VLANs %v, want %v", o.VLANs, want)
	}
	if want := map[PortVLAN]uint32{{7, 2}: 100, {7, 3}: 101, {7, 4}: 102, {7, 9}: 5000}; !reflect.DeepEqual(o.Tunnels, want) {
		t.Errorf("VNIs %v, want %v", o.Tunnels, want)
	}
	entry := func(kind int, vni uint32) *nl.RtAttr { return nl.NewRtAttr(kind, nl.Uint32Attr(vni)) }
	text = message(nl.NewTunnelMsg(unix.AF_BRIDGE, 8).Serialize(),
		nested(nl.VXLAN_VNIFILTER_ENTRY, entry(nl.VXLAN_VNIFILTER_ENTRY_START, 100), entry(nl.VXLAN_VNIFILTER_ENTRY_END, 102)),
		nested(nl.VXLAN_VNIFILTER_ENTRY, entry(nl.VXLAN_VNIFILTER_ENTRY_START, 5000)))
	if err := o.decodeVNIs(text); err != nil {
		t.Fatal(err)
	}
	for vni, want := range map[uint32]bool{99: false, 100: true, 101: true, 102: true, 103: false, 5000: true, 5001: false} {
		if o.filtered(8, vni) != want || o.filtered(7, vni) {
			t.Errorf("VNI %d in the filter: %v", vni, !want)
		}
	}
}

// TestForwardingCounts: what zebra wrote is told from what is on the node by whether it
// ages and by where it leads, and not by whose mark an entry has.
func TestForwardingCounts(t *testing.T) {
	f := &forwarding{}
	f.begin()
	other := netip.MustParseAddr("100.64.0.9")
	for _, n := range []neighbor{
		{device: 5, master: 3, vid: 11, state: unix.NUD_NOARP},
		{device: 5, master: 3, vid: 11, state: unix.NUD_NOARP, learned: true}, // Zebra took it over.
		{device: 5, master: 3, vid: 11, state: unix.NUD_REACHABLE},            // The bridge learned it.
		{device: 5, master: 3, vid: 11, state: unix.NUD_PERMANENT},            // The port's own.
		{device: 4, master: 3, vid: 11, state: unix.NUD_NOARP, learned: true},
		{device: 4, vni: 110, endpoint: other}, {device: 4, vni: 110, endpoint: other}, {device: 4, vni: 111, endpoint: other},
		{device: 4, vni: 110}, {device: 4, endpoint: other},
	} {
		f.add(n)
	}
	if want := map[PortVLAN]Count{{5, 11}: {Fixed: 2, Learned: 1}, {4, 11}: {Fixed: 1, Learned: 1}}; !reflect.DeepEqual(f.macs, want) {
		t.Errorf("%v, want %v", f.macs, want)
	}
	if len(f.endpoints) != 2 || len(f.endpoints[DeviceVNI{4, 110}]) != 1 || !slices.Equal(f.others(4), []netip.Addr{other}) || len(f.others(5)) != 0 {
		t.Errorf("%v", f.endpoints)
	}
}

// TestCutMessages: no message panics, wherever it ends.
func TestCutMessages(t *testing.T) {
	link := message(linkHeader(7), nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("evx4-fabric")), nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(3)),
		nested(unix.IFLA_LINKINFO, nl.NewRtAttr(unix.IFLA_INFO_SLAVE_KIND, nl.ZeroTerminated("bridge")),
			nested(unix.IFLA_INFO_SLAVE_DATA, nl.NewRtAttr(nl.IFLA_BRPORT_VLAN_TUNNEL, []byte{1})),
			nl.NewRtAttr(unix.IFLA_INFO_KIND, nl.ZeroTerminated("vxlan")),
			nested(unix.IFLA_INFO_DATA, nl.NewRtAttr(nl.IFLA_VXLAN_PORT, []byte{0x12, 0xb5}), nl.NewRtAttr(nl.IFLA_VXLAN_VNIFILTER, []byte{1}))))
	vlans := message(linkHeader(7), nested(unix.IFLA_AF_SPEC, vlanInfo(2, 0), tunnelInfo(2, 100, 0)))
	for name, test := range map[string]struct {
		whole  []byte
		decode func([]byte) error
	}{
		"link":  {link, func(b []byte) error { _, err := decodeDevice(b); return err }},
		"VLANs": {vlans, (&Observed{VLANs: map[PortVLAN]VLAN{}, Tunnels: map[PortVLAN]uint32{}}).decodeVLANs},
	} {
		for end := range test.whole {
			_ = test.decode(test.whole[:end])
		}
		if err := test.decode(test.whole); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := decodeDevice(link)
	if want := (Device{Index: 7, Name: "evx4-fabric", Kind: "vxlan", Master: 3, VXLAN: VXLAN{VNIFilter: true, UDPPort: 4789}, Port: Port{VLANTunnel: true}}); err != nil || d != want {
		t.Errorf("%+v, want %+v (%v)", d, want, err)
	}
}

// TestConcerned: devices of pods come and go all the time.
func TestConcerned(t *testing.T) {
	l := NewLoop(logr.Discard())
	l.Apply([]Network{{Name: "cluster_udn_blue", VRF: "blue", VTEP: "fabric", Endpoint: netip.MustParseAddr("100.64.0.1")}})
	link := func(name string) syscall.NetlinkMessage {
		return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_DELLINK}, Data: message(linkHeader(9), nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))}
	}
	address := func(text string) syscall.NetlinkMessage {
		return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWADDR}, Data: message(nl.NewIfAddrmsg(unix.AF_INET).Serialize(), nl.NewRtAttr(unix.IFA_LOCAL, netip.MustParseAddr(text).AsSlice()))}
	}
	for _, test := range []struct {
		message syscall.NetlinkMessage
		want    bool
	}{
		{link("evbr-fabric"), true}, {link("evx4-fabric"), true}, {link("svl3-blue"), true}, {link("svl2-blue"), true}, {link("ovl2-blue"), true}, {link("blue"), true},
		{link("veth1234"), false}, {link("ovl2-red"), false}, {address("100.64.0.1"), true}, {address("100.64.0.2"), false},
		{syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWLINK}, Data: []byte{1}}, true},
	} {
		if got := l.concerned([]syscall.NetlinkMessage{test.message}); got != test.want {
			t.Errorf("%q: %v", test.message.Data, got)
		}
	}
}
