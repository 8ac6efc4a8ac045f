package evpn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Observe reads what Check needs to know about the networks. An error means that nothing
// is known. It costs a few listings, however many networks there are, and one more per
// VTEP.
func Observe(namespace netns.NsHandle, networks []Network) (*Observed, error) {
	o := &observer{namespace: namespace, Observed: &Observed{}}
	for _, read := range []func() error{o.readDevices, o.readVLANs, o.readVNIs, o.readAddresses, o.readNeighbors} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	bridges := map[string]bool{}
	for i := range networks {
		bridges[ovnk.VTEPDevicesOf(networks[i].VTEP).Bridge] = true
	}
	f, err := o.readForwarding(bridges)
	if err != nil {
		return nil, err
	}
	o.MACs, o.FixedMACs, o.RemoteMACs = f.macs, f.fixed, f.remote
	o.Endpoints = make(map[DeviceVNI]int, len(f.endpoints))
	for at, endpoints := range f.endpoints {
		o.Endpoints[at] = len(endpoints)
	}
	return o.Observed, o.readUnderlays(networks, f)
}

// observer reads one part after the other.
type observer struct {
	namespace netns.NsHandle
	*Observed
}

func (o *observer) list(what string, request *nl.NetlinkRequest, each func([]byte) error, begin func()) error {
	begin()
	if err := rtnetlink.ListWhole(o.namespace, request, each, begin); err != nil {
		return fmt.Errorf("cannot list %s: %w", what, err)
	}
	return nil
}

func (o *observer) readDevices() error {
	return o.list("the devices", rtnetlink.Devices(), func(payload []byte) error {
		d, err := decodeDevice(payload)
		o.Devices = append(o.Devices, d)
		return err
	}, func() { o.Devices = nil })
}

func (o *observer) readVLANs() error {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_BRIDGE))
	request.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(uint32(nl.RTEXT_FILTER_BRVLAN_COMPRESSED))))
	return o.list("the bridges' VLANs", request, o.decodeVLANs, func() {
		o.VLANs, o.Tunnels = map[PortVLAN]VLAN{}, map[PortVLAN]uint32{}
	})
}

// readVNIs reads nothing on a kernel that has no filters: no device has one there.
func (o *observer) readVNIs() error {
	if !slices.ContainsFunc(o.Devices, func(d Device) bool { return d.VXLAN.VNIFilter }) {
		return nil
	}
	request := nl.NewNetlinkRequest(unix.RTM_GETTUNNEL, unix.NLM_F_DUMP)
	request.AddData(nl.NewTunnelMsg(unix.AF_BRIDGE, 0))
	return o.list("the VXLAN devices' VNIs", request, o.decodeVNIs, func() { o.VNIs = nil })
}

func (o *observer) readAddresses() error {
	request := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfAddrmsg(unix.AF_INET))
	return o.list("the addresses", request, func(payload []byte) error {
		address, device, err := decodeAddress(payload)
		o.Addresses[address] = device
		return err
	}, func() { o.Addresses = map[netip.Addr]int32{} })
}

// decodeAddress decodes the payload of RTM_NEWADDR and RTM_DELADDR.
func decodeAddress(b []byte) (address netip.Addr, device int32, err error) {
	if len(b) < unix.SizeofIfAddrmsg {
		return address, 0, rtnetlink.ErrShort
	}
	device = int32(binary.NativeEndian.Uint32(b[4:]))
	err = rtnetlink.Attributes(b[unix.SizeofIfAddrmsg:], func(kind uint16, value []byte) (err error) {
		// On a link between two hosts IFA_ADDRESS is the other one's.
		if kind == unix.IFA_LOCAL {
			address, err = rtnetlink.Address(value)
		}
		return err
	})
	return address, device, err
}

// readNeighbors counts the neighbors of VLAN devices: any may be a network's.
func (o *observer) readNeighbors() error {
	counted := map[int32]bool{}
	for i := range o.Devices {
		counted[o.Devices[i].Index] = o.Devices[i].Kind == kindVLAN
	}
	o.Neighbors, o.FixedAddresses = map[int32]Count{}, map[int32]map[netip.Addr]MAC{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		found, fixed := map[int32]Count{}, map[int32]map[netip.Addr]MAC{}
		err := o.list("the neighbors", neighborsOf(family, 0), func(payload []byte) error {
			n, err := decodeNeighbor(payload)
			if err != nil || !counted[n.device] {
				return err
			}
			count := found[n.device]
			if n.state&unix.NUD_PERMANENT != 0 {
				count.Fixed++
				if fixed[n.device] == nil {
					fixed[n.device] = map[netip.Addr]MAC{}
				}
				fixed[n.device][n.endpoint] = n.mac
			} else if n.learned {
				count.Learned++
			}
			found[n.device] = count
			return nil
		}, func() { clear(found); clear(fixed) })
		if err != nil && !(family == unix.AF_INET6 && errors.Is(err, syscall.EAFNOSUPPORT)) {
			return err
		}
		for device, count := range found {
			sum := o.Neighbors[device]
			o.Neighbors[device] = Count{sum.Fixed + count.Fixed, sum.Learned + count.Learned}
		}
		for device, addresses := range fixed {
			if o.FixedAddresses[device] == nil {
				o.FixedAddresses[device] = addresses
			} else {
				maps.Copy(o.FixedAddresses[device], addresses)
			}
		}
	}
	return nil
}

// neighborsOf asks for the entries of a family; with a bridge, for those in it.
func neighborsOf(family uint8, bridge int32) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, unix.NLM_F_DUMP)
	// struct ndmsg begins with the family, and in a listing the rest is empty.
	header := make([]byte, sizeofNdMsg)
	header[0] = family
	request.AddRawData(header)
	if bridge != 0 {
		request.AddRawData(nl.NewRtAttr(unix.NDA_MASTER, nl.Uint32Attr(uint32(bridge))).Serialize())
	}
	return request
}

// readForwarding reads the forwarding tables of the bridges that have the names.
func (o *observer) readForwarding(bridges map[string]bool) (*forwarding, error) {
	all := &forwarding{}
	all.begin()
	tunnels, wanted := map[int32]bool{}, map[MAC]bool{}
	for i := range o.Devices {
		tunnels[o.Devices[i].Index] = o.Devices[i].Kind == kindVXLAN
	}
	for _, addresses := range o.FixedAddresses {
		for _, mac := range addresses {
			wanted[mac] = true
		}
	}
	for i := range o.Devices {
		d := &o.Devices[i]
		if d.Kind != kindBridge || !bridges[d.Name] {
			continue
		}
		one := &forwarding{tunnels: tunnels, wanted: wanted}
		err := o.list("what "+d.Name+" forwards", neighborsOf(unix.AF_BRIDGE, d.Index), func(payload []byte) error {
			n, err := decodeNeighbor(payload)
			if err == nil {
				one.add(n)
			}
			return err
		}, one.begin)
		if err != nil {
			return nil, err
		}
		all.merge(one)
	}
	return all, nil
}

// others are ends of tunnels of a VXLAN device, sorted, and no more than are worth a
// question each.
func (f *forwarding) others(device int32) []netip.Addr {
	const most = 8
	var out []netip.Addr
	for at, endpoints := range f.endpoints {
		if at.Device != device {
			continue
		}
		for endpoint := range endpoints {
			out = append(out, endpoint)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	out = slices.Compact(out)
	return out[:min(len(out), most)]
}
