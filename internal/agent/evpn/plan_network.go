package evpn

import (
	"net"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// interfaces plans a network's VLAN devices, which need the VRF.
func (p *planner) interfaces(at *plannedNetwork) {
	vrf := p.byName[at.VRF]
	if vrf != nil && vrf.Kind != kindVRF {
		vrf = nil
	}
	for _, v := range at.vpns() {
		create, set := CreateL3SVI, SetL3SVI
		if v == &at.State.MACVRF {
			create, set = CreateL2SVI, SetL2SVI
		}
		p.svi(at, v, vrf, create, set)
	}
}

func (p *planner) svi(at *plannedNetwork, v *VPNState, vrf *Device, create, set Verb) {
	d := p.byName[v.SVI]
	if d != nil && !d.ours() {
		at.trouble(ReasonNameTaken, "device %s was not made by this agent, which leaves it alone; delete it (ip link del %s), and the agent makes its own", v.SVI, v.SVI)
		return
	}
	if d != nil && d.Kind != kindVLAN {
		d = nil // leftovers removes it
	}
	if d != nil && (d.VID != v.VID || d.Parent != indexOf(at.vtep.bridge)) {
		p.change(Change{Verb: DeleteSVI, Network: at.State.Network, Device: d.Name, Index: d.Index})
		d = nil
	}
	if vrf == nil {
		// The kernel takes it out of a VRF that goes.
		return
	}
	plans := func(how sviPlan) {
		if v == &at.State.MACVRF {
			at.svi, at.sviIndex = how, indexOf(d)
		}
	}
	plans(sviEmptied)
	want := Change{
		Verb: set, VTEP: at.vtep.name, Network: at.State.Network, Device: v.SVI, Bridge: at.vtep.Bridge, VRF: at.VRF,
		Alias: devices.AliasOf(at.State.Network), VPN: v.VPN,
	}
	if d == nil {
		made := want
		made.Verb = create
		p.change(made)
		want.Wrong = []string{"is new"}
		p.change(want)
		return
	}
	if d.Master == vrf.Index && d.Up && !at.vtep.remade {
		plans(sviStays)
	}
	var wrong faults
	wrong.add(d.Master != vrf.Index, "is not in VRF %s", at.VRF)
	wrong.add(!d.Up, "is down")
	wrong.add(d.LinkLocal, "makes IPv6 addresses of its own")
	wrong.add(d.Alias != want.Alias, "has alias %q", d.Alias)
	p.correct(&want, d, wrong)
}

// port plans OVN's port in the MAC-VRF.
func (p *planner) port(at *plannedNetwork) {
	v := &at.State.MACVRF
	if v.VNI == 0 {
		return
	}
	want := vswitch.Port{Name: at.names.Port, LogicalPort: ovnk.MACVRFPort(at.State.Network), MTU: mtuOf(at.Network, p.byName), Ours: true}
	has, there := p.ports[want.Name]
	d := p.byName[want.Name]
	if there && !has.Ours || !there && d != nil {
		at.trouble(ReasonNameTaken, "device %s was not made by this agent, which leaves it alone; delete it, and the agent makes its own", want.Name)
		return
	}
	at.joined = true
	if !there || has.LogicalPort != want.LogicalPort || want.MTU != 0 && has.MTU != want.MTU {
		p.change(Change{Verb: AddPort, VTEP: at.vtep.name, Network: at.State.Network, Device: want.Name, Port: want})
	}
	join := Change{Verb: JoinPort, VTEP: at.vtep.name, Network: at.State.Network, Device: want.Name, Bridge: at.vtep.Bridge, VPN: v.VPN}
	if d == nil {
		join.Wrong = []string{"is new"}
		p.change(join)
		return
	}
	joined := at.vtep.bridge != nil && d.Master == at.vtep.bridge.Index
	vlan := p.observed.VLANs[PortVLAN{d.Index, v.VID}]
	var wrong faults
	wrong.add(!joined, "is not a port of %s", at.vtep.Bridge)
	wrong.add(!joined || !vlan.PVID || !vlan.Untagged, "does not have VLAN %d as its untagged one", v.VID)
	wrong.add(!d.Up, "is down")
	p.correct(&join, d, wrong)
	if joined {
		for _, vid := range p.vlansOf[d.Index] {
			if vid != v.VID {
				p.change(Change{Verb: DeletePortVLAN, Network: at.State.Network, Device: d.Name, Index: d.Index, VPN: VPN{VID: vid}})
			}
		}
	}
}

// entries plans what FRR announces of the node's hosts.
func (p *planner) entries(at *plannedNetwork) {
	v := &at.State.MACVRF
	if v.VNI == 0 || p.hosts == nil {
		return
	}
	macs, addresses := located(p.hosts[at.State.Network], routerMAC(at.vtep.name, p.node))
	c := Change{VTEP: at.vtep.name, Network: at.State.Network, Bridge: at.vtep.Bridge, VPN: v.VPN}
	if at.joined {
		c.Device, c.Index = at.names.Port, indexOf(p.byName[at.names.Port])
		p.macs(at, c, macs)
	}
	if at.svi != noSVI {
		c.Device, c.Index = v.SVI, at.sviIndex
		p.neighbors(at, c, addresses)
	}
}

// macs plans the entries on OVN's port. Every one that doesn't age is the agent's there,
// whatever zebra made of its flags.
func (p *planner) macs(at *plannedNetwork, c Change, wanted map[MAC]bool) {
	there := map[MAC]bool{}
	if d := p.byName[c.Device]; d != nil && at.vtep.bridge != nil && d.Master == at.vtep.bridge.Index {
		for _, entry := range p.observed.FixedMACs[d.Index] {
			if entry.VID == c.VID && wanted[entry.MAC] {
				there[entry.MAC] = true
				continue
			}
			gone := c
			gone.Verb, gone.MAC, gone.VID = DeleteMAC, entry.MAC, entry.VID
			p.change(gone)
		}
	}
	for _, mac := range sortedMACs(wanted) {
		if !there[mac] {
			c.Verb, c.MAC = SetMAC, mac
			p.change(c)
		}
	}
}

// neighbors plans the entries on the L2 VLAN device. Permanent ones are the agent's, but
// for those of hosts that the bridge knows behind the VXLAN device: these are zebra's,
// which takes an entry over when its host moved to another node.
func (p *planner) neighbors(at *plannedNetwork, c Change, wanted map[netip.Addr]MAC) {
	var there map[netip.Addr]MAC
	if at.svi == sviStays {
		there = p.observed.FixedAddresses[c.Index]
	}
	for _, address := range sortedAddresses(there) {
		mac := there[address]
		if _, stays := wanted[address]; stays || p.observed.RemoteMACs[RemoteMAC{PortVLAN{indexOf(at.vtep.vxlan), c.VID}, mac}] {
			continue
		}
		gone := c
		gone.Verb, gone.Address, gone.MAC = DeleteNeighbor, address, mac
		p.change(gone)
	}
	for _, address := range sortedAddresses(wanted) {
		if mac, found := there[address]; !found || mac != wanted[address] {
			c.Verb, c.Address, c.MAC = SetNeighbor, address, wanted[address]
			p.change(c)
		}
	}
}

// located are the hosts' addresses. What no host can have is left out; the router's own
// MAC address would be taken from the router. Of two hosts with one address the first has
// it.
func located(hosts []Host, router MAC) (macs map[MAC]bool, addresses map[netip.Addr]MAC) {
	macs, addresses = map[MAC]bool{}, map[netip.Addr]MAC{}
	for i := range hosts {
		mac, ok := parseMAC(hosts[i].MAC)
		if !ok || mac == router {
			continue
		}
		macs[mac] = true
		for _, a := range hosts[i].Addresses {
			a = a.Unmap().WithZone("")
			if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
				continue
			}
			if other, taken := addresses[a]; !taken || slices.Compare(mac[:], other[:]) < 0 {
				addresses[a] = mac
			}
		}
	}
	return macs, addresses
}

// parseMAC takes addresses of single devices.
func parseMAC(text string) (MAC, bool) {
	parsed, err := net.ParseMAC(text)
	if err != nil || len(parsed) != len(MAC{}) {
		return MAC{}, false
	}
	mac := MAC(parsed)
	return mac, mac[0]&1 == 0 && mac != MAC{}
}

func sortedMACs(set map[MAC]bool) []MAC {
	out := make([]MAC, 0, len(set))
	for mac := range set {
		out = append(out, mac)
	}
	slices.SortFunc(out, func(a, b MAC) int { return slices.Compare(a[:], b[:]) })
	return out
}

func sortedAddresses(set map[netip.Addr]MAC) []netip.Addr {
	out := make([]netip.Addr, 0, len(set))
	for address := range set {
		out = append(out, address)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}
