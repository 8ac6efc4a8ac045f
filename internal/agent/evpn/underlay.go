package evpn

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// elsewhere is an address that only a default route leads to (RFC 5737).
var elsewhere = netip.MustParseAddr("192.0.2.1")

// readUnderlays finds the links that tunnels leave by. An endpoint without one has no
// entry.
func (o *observer) readUnderlays(networks []Network, f *forwarding) error {
	handle, err := rtnetlink.NewHandle(o.namespace)
	if err != nil {
		return err
	}
	defer handle.Close()
	o.Underlays = map[netip.Addr]Underlay{}
	for i := range networks {
		endpoint := networks[i].Endpoint
		if _, known := o.Underlays[endpoint]; known {
			continue
		}
		if device, there := o.Addresses[endpoint]; there {
			o.addUnderlay(handle, endpoint, o.device(device), f.others(o.vxlanOf(networks[i].VTEP)))
		}
	}
	return nil
}

// addUnderlay asks the kernel for the way to the other ends. While there are none it is
// the link that has the address, or for an address of no real link the default route.
func (o *observer) addUnderlay(handle *netlink.Handle, endpoint netip.Addr, holder *Device, others []netip.Addr) {
	links := make([]*Device, 0, len(others)+1)
	for _, other := range others {
		links = append(links, o.wayTo(handle, endpoint, other)...)
	}
	if len(links) == 0 && holder != nil && !holder.Loopback && holder.Kind != kindDummy {
		links = append(links, holder)
	}
	if len(links) == 0 {
		links = append(links, o.wayTo(handle, endpoint, elsewhere)...)
	}
	for _, link := range links {
		if known, found := o.Underlays[endpoint]; !found || link.MTU < known.MTU {
			o.Underlays[endpoint] = Underlay{Device: link.Name, MTU: link.MTU}
		}
	}
}

// wayTo is the link that packets leave by. There may be no way, which is for others to
// tell.
func (o *observer) wayTo(handle *netlink.Handle, from, to netip.Addr) []*Device {
	routes, err := handle.RouteGetWithOptions(to.AsSlice(), &netlink.RouteGetOptions{SrcAddr: from.AsSlice()})
	if err != nil {
		return nil
	}
	var out []*Device
	for i := range routes {
		if link := o.device(int32(routes[i].LinkIndex)); link != nil && !link.Loopback { //nolint:gosec // the kernel's own numbers have 32 bits
			out = append(out, link)
		}
	}
	return out
}

func (o *observer) device(index int32) *Device {
	i := slices.IndexFunc(o.Devices, func(d Device) bool { return d.Index == index })
	if i < 0 {
		return nil
	}
	return &o.Devices[i]
}

// vxlanOf is the index of the VTEP's VXLAN device, 0 if there is none.
func (o *observer) vxlanOf(vtep string) int32 {
	name := ovnk.VTEPDevicesOf(vtep).VXLAN
	for i := range o.Devices {
		if d := &o.Devices[i]; d.Name == name && d.Kind == kindVXLAN {
			return d.Index
		}
	}
	return 0
}
