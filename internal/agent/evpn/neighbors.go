package evpn

import (
	"encoding/binary"
	"maps"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

const sizeofNdMsg = 12

// neighbor is an entry of a neighbor table, or of a bridge's or VXLAN device's
// forwarding table.
type neighbor struct {
	device, master int32
	state          uint16
	learned        bool
	vid            uint16
	mac            MAC
	// vni and endpoint are where a VXLAN device sends to.
	vni      uint32
	endpoint netip.Addr
}

// decodeNeighbor decodes the payload of RTM_NEWNEIGH.
func decodeNeighbor(b []byte) (neighbor, error) {
	var n neighbor
	if len(b) < sizeofNdMsg {
		return n, rtnetlink.ErrShort
	}
	n.device = int32(binary.NativeEndian.Uint32(b[4:]))
	n.state, n.learned = binary.NativeEndian.Uint16(b[8:]), b[10]&unix.NTF_EXT_LEARNED != 0
	err := rtnetlink.Attributes(b[sizeofNdMsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.NDA_DST:
			// Tunnels of other kinds have other addresses, which are none of ours.
			if a, ok := netip.AddrFromSlice(value); ok {
				n.endpoint = a.Unmap()
			}
		case unix.NDA_LLADDR:
			// Devices of other kinds have longer ones.
			if len(value) == len(n.mac) {
				n.mac = MAC(value)
			}
		case unix.NDA_VLAN:
			n.vid, err = uint16Of(value)
		case unix.NDA_MASTER:
			n.master, err = index(value)
		case unix.NDA_SRC_VNI:
			n.vni, err = rtnetlink.Uint32(value)
		}
		return err
	})
	return n, err
}

// forwarding counts the entries of bridges, and gathers where VXLAN devices send to.
type forwarding struct {
	macs      map[PortVLAN]Count
	fixed     map[int32][]VLANMAC
	remote    map[RemoteMAC]bool
	endpoints map[DeviceVNI]map[netip.Addr]bool
	// tunnels are the VXLAN devices. Of what is behind them, which may be the whole
	// fabric, only MAC addresses that are looked for are kept.
	tunnels map[int32]bool
	wanted  map[MAC]bool
}

func (f *forwarding) begin() {
	f.macs, f.fixed = map[PortVLAN]Count{}, map[int32][]VLANMAC{}
	f.remote, f.endpoints = map[RemoteMAC]bool{}, map[DeviceVNI]map[netip.Addr]bool{}
}

// add takes an entry. Bridges name themselves as masters in theirs. A port's own address
// is no host, and is the one thing that is NUD_PERMANENT there.
func (f *forwarding) add(n neighbor) {
	switch {
	case n.master != 0:
		at := PortVLAN{n.device, n.vid}
		count := f.macs[at]
		// Zebra marks hosts of the node as learned, too, when it touched their entries:
		// what counts is that they don't age.
		if n.state&unix.NUD_NOARP != 0 {
			count.Fixed++
		}
		if n.learned {
			count.Learned++
		}
		f.macs[at] = count
		if f.tunnels[n.device] {
			if f.wanted[n.mac] {
				f.remote[RemoteMAC{at, n.mac}] = true
			}
		} else if n.state&unix.NUD_NOARP != 0 {
			f.fixed[n.device] = append(f.fixed[n.device], VLANMAC{n.vid, n.mac})
		}
	case n.endpoint.IsValid() && n.vni != 0:
		at := DeviceVNI{n.device, n.vni}
		if f.endpoints[at] == nil {
			f.endpoints[at] = map[netip.Addr]bool{}
		}
		f.endpoints[at][n.endpoint] = true
	}
}

// merge adds what another bridge has.
func (f *forwarding) merge(other *forwarding) {
	maps.Copy(f.macs, other.macs)
	maps.Copy(f.fixed, other.fixed)
	maps.Copy(f.remote, other.remote)
	maps.Copy(f.endpoints, other.endpoints)
}
