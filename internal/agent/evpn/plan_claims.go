package evpn

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// claim gives VLANs, VNIs and names of devices to the networks. Each can be one network's
// only, and is that's which has it already. What networks have that are held stays theirs.
// A network that does not get all that it needs keeps nothing.
func (p *planner) claim() {
	numbers, names := map[claimed]string{}, map[string]string{}
	var having, others []*plannedNetwork
	for _, at := range p.places {
		switch {
		case at.held:
			p.keep(at, numbers)
		case p.has(at):
			having = append(having, at)
		default:
			others = append(others, at)
		}
	}
	for _, at := range slices.Concat(having, others) {
		if at.claim(numbers, names); at.held {
			continue
		}
		for _, v := range at.vpns() {
			p.stays[v.SVI] = true
		}
		if at.State.MACVRF.VNI != 0 {
			p.stays[at.names.Port] = true
		}
	}
	for _, at := range p.places {
		if !at.held {
			at.vtep.networks = append(at.vtep.networks, at)
		} else if at.Reason != ReasonNumberTaken {
			p.keepNumbers(at, numbers)
		}
	}
}

// has reports whether the network has one of its VLAN devices.
func (p *planner) has(at *plannedNetwork) bool {
	return slices.ContainsFunc(at.vpns(), func(v *VPNState) bool {
		d := p.byName[v.SVI]
		return d != nil && d.ours() && d.VID == v.VID && d.Alias == devices.AliasOf(at.State.Network)
	})
}

// claimed is a VLAN or a VNI of a VTEP.
type claimed struct {
	vtep *plannedVTEP
	what string
	n    uint32
}

// claim takes what the network needs, all or nothing.
func (at *plannedNetwork) claim(numbers map[claimed]string, names map[string]string) {
	own := map[claimed]bool{}
	for _, v := range at.vpns() {
		for _, key := range []claimed{{at.vtep, "VLAN", uint32(v.VID)}, {at.vtep, "VNI", v.VNI}} {
			other := numbers[key]
			if own[key] {
				other = "its other VPN"
			}
			if other != "" {
				at.hold(ReasonNumberTaken, "%s %d of VTEP %q is %s's already", key.what, key.n, at.vtep.name, other)
			}
			own[key] = true
		}
		if other := names[v.SVI]; other != "" {
			at.hold(ReasonNameTaken, "device %s is %s's already: rename one of the networks", v.SVI, other)
		}
	}
	if at.held {
		return
	}
	for key := range own {
		numbers[key] = at.State.Network
	}
	for _, v := range at.vpns() {
		names[v.SVI] = at.State.Network
	}
}

// vpns are the network's VPNs, in the order in which they are made.
func (at *place) vpns() []*VPNState {
	var out []*VPNState
	for _, v := range []*VPNState{&at.State.IPVRF, &at.State.MACVRF} {
		if v.VNI != 0 {
			out = append(out, v)
		}
	}
	return out
}

// keep has a held network keep all that it has, under whatever names.
func (p *planner) keep(at *plannedNetwork, numbers map[claimed]string) {
	own := []string{at.names.L3SVI, at.names.L2SVI}
	p.stays[at.names.Port] = true
	alias := devices.AliasOf(at.State.Network)
	for i := range p.observed.Devices {
		d := &p.observed.Devices[i]
		if d.ours() && d.Kind == kindVLAN && (d.Alias == alias || slices.Contains(own, d.Name)) {
			p.stays[d.Name] = true
			p.keepVLAN(d, at.State.Network, numbers)
		}
	}
	for _, port := range p.observed.Ports {
		if port.LogicalPort == ovnk.MACVRFPort(at.State.Network) {
			p.stays[port.Name] = true
		}
	}
}

// keepNumbers has a held network keep its VLANs and VNIs that no other network has.
func (p *planner) keepNumbers(at *plannedNetwork, numbers map[claimed]string) {
	v := at.vtep
	free := func(what string, n uint32) bool {
		other := numbers[claimed{v, what, n}]
		return n != 0 && (other == "" || other == at.State.Network)
	}
	vids, vnis := map[uint16]bool{}, map[uint32]bool{}
	for _, vpn := range at.vpns() {
		vids[vpn.VID], vnis[vpn.VNI] = free("VLAN", uint32(vpn.VID)), free("VNI", vpn.VNI)
	}
	for on, vni := range p.observed.Tunnels {
		if on.Device == indexOf(v.vxlan) && (vids[on.VID] || vnis[vni]) && free("VLAN", uint32(on.VID)) && free("VNI", vni) {
			v.keptVIDs[on.VID], v.keptVNIs[vni] = true, true
		}
	}
	for vid, kept := range vids {
		v.keptVIDs[vid] = v.keptVIDs[vid] || kept
	}
	for vni, kept := range vnis {
		v.keptVNIs[vni] = v.keptVNIs[vni] || kept
	}
}

// keepVLAN keeps the VLAN of a device that stays, on the VTEP whose bridge it is on: it may
// have been another one's before.
func (p *planner) keepVLAN(d *Device, network string, numbers map[claimed]string) {
	for _, v := range p.vteps {
		if v.bridge == nil || v.bridge.Index != d.Parent {
			continue
		}
		v.keptVIDs[d.VID] = true
		numbers[claimed{v, "VLAN", uint32(d.VID)}] = network
		if vni := p.observed.Tunnels[PortVLAN{indexOf(v.vxlan), d.VID}]; vni != 0 {
			v.keptVNIs[vni] = true
			numbers[claimed{v, "VNI", vni}] = network
		}
	}
}
