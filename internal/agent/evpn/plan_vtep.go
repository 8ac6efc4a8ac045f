package evpn

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
)

// tunnels plans a VTEP's devices, and the VNIs of its networks.
func (p *planner) tunnels(v *plannedVTEP) {
	if len(v.networks) == 0 {
		return
	}
	p.bridge(v)
	p.vxlan(v)
	p.vnis(v)
}

func (p *planner) bridge(v *plannedVTEP) {
	mac := routerMAC(v.name, p.node)
	want := Change{Verb: SetBridge, VTEP: v.name, Device: v.Bridge, Alias: devices.AliasOf("VTEP " + v.name)}
	b := v.bridge
	if b == nil {
		p.change(Change{Verb: CreateBridge, VTEP: v.name, Device: v.Bridge, MAC: mac})
		want.Wrong = []string{"is new"}
		p.change(want)
		return
	}
	var wrong faults
	if b.MAC != mac.String() {
		want.MAC, v.remade = mac, true
		wrong.add(true, "has MAC address %s instead of %s", b.MAC, mac)
	}
	wrong.add(!b.Up, "is down")
	wrong.add(!b.Bridge.VLANFiltering, "does not filter VLANs")
	wrong.add(b.Bridge.DefaultPVID != 0, "puts every port into VLAN %d", b.Bridge.DefaultPVID)
	wrong.add(b.LinkLocal, "makes IPv6 addresses of its own")
	wrong.add(b.Alias != want.Alias, "has alias %q", b.Alias)
	p.correct(&want, b, wrong)
}

func (p *planner) correct(want *Change, d *Device, wrong faults) {
	if len(wrong) > 0 {
		want.Index, want.Wrong = d.Index, wrong
		p.change(*want)
	}
}

func (p *planner) vxlan(v *plannedVTEP) {
	if d := v.unusable; d != nil {
		p.change(Change{Verb: DeleteVXLAN, Device: d.Name, Index: d.Index})
	}
	want := Change{Verb: SetVXLAN, VTEP: v.name, Device: v.VXLAN, Bridge: v.Bridge, Alias: devices.AliasOf("VTEP " + v.name)}
	port := Change{Verb: SetVXLANPort, VTEP: v.name, Device: v.VXLAN}
	d := v.vxlan
	if d == nil {
		p.change(Change{Verb: CreateVXLAN, VTEP: v.name, Device: v.VXLAN, Bridge: v.Bridge, Local: v.endpoint, MTU: v.mtu})
		want.Wrong, port.Wrong = []string{"is new"}, []string{"is new"}
		p.change(want)
		p.change(port)
		return
	}
	var wrong faults
	if d.VXLAN.Local != v.endpoint {
		want.Local = v.endpoint
		wrong.add(true, "sends from %s instead of %s", d.VXLAN.Local, v.endpoint)
	}
	if v.mtu != 0 && d.MTU != v.mtu {
		want.MTU = v.mtu
		wrong.add(true, "has MTU %d instead of %d", d.MTU, v.mtu)
	}
	joined := v.carries()
	wrong.add(!joined, "is not a port of %s", v.Bridge)
	wrong.add(!d.Up, "is down")
	wrong.add(d.LinkLocal, "makes IPv6 addresses of its own")
	wrong.add(d.Alias != want.Alias, "has alias %q", d.Alias)
	p.correct(&want, d, wrong)
	wrong = nil
	wrong.add(!joined || d.Port != ofVXLAN, "has not the settings of a port to the fabric")
	p.correct(&port, d, wrong)
}

// carries reports whether the VXLAN device is in the bridge: otherwise its VLANs are
// another bridge's, and go with that.
func (v *plannedVTEP) carries() bool {
	return v.bridge != nil && v.vxlan != nil && v.vxlan.Master == v.bridge.Index
}

// vnis plans the VLANs of the bridge and the VXLAN device, with their VNIs.
func (p *planner) vnis(v *plannedVTEP) {
	vids, numbers := trueOnly(v.keptVIDs), trueOnly(v.keptVNIs)
	vniOf, vidOf := map[uint16]uint32{}, map[uint32]uint16{}
	for _, at := range v.networks {
		for _, vpn := range at.vpns() {
			vids[vpn.VID], numbers[vpn.VNI], vniOf[vpn.VID] = true, true, vpn.VNI
			vidOf[vpn.VNI] = vpn.VID
		}
	}
	filtered := p.filter(v, numbers)
	p.removeVLANs(v, vids, vniOf, vidOf)
	for _, at := range v.networks {
		for _, vpn := range at.vpns() {
			c := Change{VTEP: v.name, Network: at.State.Network, Device: v.VXLAN, Bridge: v.Bridge, VPN: vpn.VPN}
			on := PortVLAN{indexOf(v.vxlan), vpn.VID}
			if _, there := p.observed.VLANs[on]; !v.carries() || !there {
				p.add(c, AddPortVLAN, v.vxlan)
			}
			if !filtered[vpn.VNI] {
				p.add(c, AddVNI, v.vxlan)
			}
			if !v.carries() || p.observed.Tunnels[on] != vpn.VNI {
				p.add(c, AddTunnel, v.vxlan)
			}
			if _, there := p.observed.VLANs[PortVLAN{indexOf(v.bridge), vpn.VID}]; v.bridge == nil || !there {
				c.Device = v.Bridge
				p.add(c, AddBridgeVLAN, v.bridge)
			}
		}
	}
}

func trueOnly[K comparable](set map[K]bool) map[K]bool {
	out := maps.Clone(set)
	maps.DeleteFunc(out, func(_ K, in bool) bool { return !in })
	return out
}

func (p *planner) add(c Change, verb Verb, d *Device) {
	c.Verb, c.Index = verb, indexOf(d)
	p.change(c)
}

func indexOf(d *Device) int32 {
	if d == nil {
		return 0
	}
	return d.Index
}

// filter removes VNIs that nobody wants from the VXLAN device's filter, and returns those
// wanted ones that are in it.
func (p *planner) filter(v *plannedVTEP, wanted map[uint32]bool) map[uint32]bool {
	filtered := map[uint32]bool{}
	if v.vxlan == nil {
		return filtered
	}
	var ranges []VNIRange
	for _, r := range p.observed.VNIs {
		if r.Device == v.vxlan.Index {
			ranges = append(ranges, r)
		}
	}
	slices.SortFunc(ranges, func(a, b VNIRange) int { return cmp.Compare(a.First, b.First) })
	in := slices.Sorted(maps.Keys(wanted))
	for _, r := range ranges {
		first := r.First
		at, _ := slices.BinarySearch(in, r.First)
		for ; at < len(in) && in[at] <= r.Last; at++ {
			filtered[in[at]] = true
			p.removeVNIs(v, first, in[at])
			first = in[at] + 1
		}
		p.removeVNIs(v, first, r.Last+1)
	}
	return filtered
}

// removeVNIs removes the VNIs from the first to the one before the end.
func (p *planner) removeVNIs(v *plannedVTEP, first, end uint32) {
	if first >= end {
		return
	}
	c := Change{Verb: DeleteVNI, Device: v.VXLAN, Index: v.vxlan.Index, VPN: VPN{VNI: first}}
	if end-first > 1 {
		c.LastVNI = end - 1
	}
	p.change(c)
}

// removeVLANs removes VLANs that nobody wants from the VTEP's devices, and VNIs from VLANs
// that are to have another one, or whose VNI is to be another VLAN's.
func (p *planner) removeVLANs(v *plannedVTEP, wanted map[uint16]bool, vniOf map[uint16]uint32, vidOf map[uint32]uint16) {
	if v.bridge != nil {
		for _, vid := range p.vlansOf[v.bridge.Index] {
			if !wanted[vid] {
				p.change(Change{Verb: DeleteBridgeVLAN, Device: v.Bridge, Index: v.bridge.Index, VPN: VPN{VID: vid}})
			}
		}
	}
	if !v.carries() {
		return
	}
	for _, vid := range p.vlansOf[v.vxlan.Index] {
		c := Change{Device: v.VXLAN, Index: v.vxlan.Index, VPN: VPN{VID: vid, VNI: p.observed.Tunnels[PortVLAN{v.vxlan.Index, vid}]}}
		to, ours := vniOf[vid]
		if elsewhere := vidOf[c.VNI]; c.VNI != 0 && (!wanted[vid] || ours && to != c.VNI || elsewhere != 0 && elsewhere != vid) {
			c.Verb = DeleteTunnel
			p.change(c)
		}
		if !wanted[vid] {
			c.Verb = DeletePortVLAN
			p.change(c)
		}
	}
}
