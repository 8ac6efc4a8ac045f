package evpn

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Plan returns what has to be changed on the node, in the order it has to be done, and for
// each network why not all can be done. The networks have to be all that the node is to
// have: of others, what the agent made is removed. hosts are by the networks' names; nil
// means that they are not known, and leaves entries as they are.
func Plan(networks []Network, hosts map[string][]Host, observed *Observed, node string) ([]Change, []State) {
	p := newPlan(networks, hosts, observed, node)
	states := make([]State, len(p.places))
	for i, at := range p.places {
		states[i] = *at.State
	}
	return p.changes, states
}

func newPlan(networks []Network, hosts map[string][]Host, observed *Observed, node string) *planner {
	p := newPlanner(networks, hosts, observed, node)
	p.begin()
	p.claim()
	for _, name := range slices.Sorted(maps.Keys(p.vteps)) {
		p.tunnels(p.vteps[name])
	}
	for _, at := range p.places {
		if !at.held {
			p.interfaces(at)
			p.port(at)
			p.entries(at)
		}
	}
	p.leftovers()
	p.changes = slices.Concat(p.byVerb[:]...)
	return p
}

// routerMAC is a bridge's address, by which the fabric sends to the node's VRFs. FRR would
// announce everything anew if it changed, as a bridge's does with its ports, so that it
// depends on nothing but names. It is locally administered.
func routerMAC(vtep, node string) MAC {
	sum := sha256.Sum256([]byte("ovnbgp.io/router-mac/" + vtep + "/" + node))
	mac := MAC(sum[:6])
	mac[0] = mac[0]&^1 | 2
	return mac
}

type planner struct {
	observed *Observed
	networks []Network
	hosts    map[string][]Host
	node     string
	byName   map[string]*Device
	ports    map[string]vswitch.Port
	// places are parallel to networks.
	places []*plannedNetwork
	vteps  map[string]*plannedVTEP
	// stays has the names of devices that are wanted, or left alone.
	stays   map[string]bool
	vlansOf map[int32][]uint16
	byVerb  [SetNeighbor + 1][]Change
	// changes are all of them, in the end.
	changes []Change
}

// plannedNetwork is a network on the node. held networks stay exactly as they are.
type plannedNetwork struct {
	place
	vtep *plannedVTEP
	held bool
	// svi is what becomes of the L2 VLAN device; its index is 0 if it is made anew. joined
	// is set if OVN's port will be there.
	svi      sviPlan
	sviIndex int32
	joined   bool
}

// sviPlan is what becomes of a VLAN device. The kernel drops the neighbors of one that
// goes down, which it also does when it gets into a VRF.
type sviPlan uint8

const (
	noSVI sviPlan = iota
	sviEmptied
	sviStays
)

// plannedVTEP is a VTEP on the node.
type plannedVTEP struct {
	name string
	ovnk.VTEPDevices
	endpoint netip.Addr
	mtu      uint32
	// bridge and vxlan are the devices that stay; nil for those that have to be made.
	bridge, vxlan *Device
	// unusable is the agent's VXLAN device if it has to be replaced.
	unusable *Device
	// remade is set if the bridge gets another address, for which the kernel drops the
	// neighbors on its VLAN devices.
	remade bool
	// networks are those that are worked on; with none of them nothing is.
	networks []*plannedNetwork
	// keptVIDs and keptVNIs are of networks that are held.
	keptVIDs map[uint16]bool
	keptVNIs map[uint32]bool
}

func newPlanner(networks []Network, hosts map[string][]Host, observed *Observed, node string) *planner {
	p := &planner{
		observed: observed, networks: sorted(networks), hosts: hosts, node: node,
		byName: make(map[string]*Device, len(observed.Devices)), ports: make(map[string]vswitch.Port, len(observed.Ports)),
		vteps: map[string]*plannedVTEP{}, stays: map[string]bool{}, vlansOf: map[int32][]uint16{},
	}
	for i := range observed.Devices {
		p.byName[observed.Devices[i].Name] = &observed.Devices[i]
	}
	for _, port := range observed.Ports {
		p.ports[port.Name] = port
	}
	for at := range observed.VLANs {
		p.vlansOf[at.Device] = append(p.vlansOf[at.Device], at.VID)
	}
	for _, vids := range p.vlansOf {
		slices.Sort(vids)
	}
	return p
}

func (p *planner) change(c Change) { p.byVerb[c.Verb] = append(p.byVerb[c.Verb], c) }

// byOVNKubernetes is the evidence that its node component makes the devices.
func (o *Observed) byOVNKubernetes() string {
	for i := range o.Devices {
		if strings.HasPrefix(o.Devices[i].Alias, ovnk.DeviceAlias) {
			return "device " + o.Devices[i].Name
		}
	}
	for _, port := range o.Ports {
		if port.ByOVNKubernetes {
			return "Open vSwitch's port " + port.Name
		}
	}
	return ""
}

// begin finds the networks that have to be left alone, and the VTEPs.
func (p *planner) begin() {
	evidence := p.observed.byOVNKubernetes()
	for i := range p.networks {
		n := &p.networks[i]
		s := begin(n)
		at := &plannedNetwork{place: place{Network: n, State: &s}}
		p.places = append(p.places, at)
		at.vtep = p.vtepOf(n)
		switch {
		case !at.known():
			at.held = true
		case evidence != "":
			at.hold(ReasonMadeByOVNKubernetes, "OVN-Kubernetes' node component makes the EVPN devices of this node (%s), so that the agent makes none", evidence)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.vteps)) {
		p.find(p.vteps[name])
	}
}

func (at *plannedNetwork) hold(reason Reason, format string, args ...any) {
	at.held = true
	at.trouble(reason, format, args...)
}

func (p *planner) vtepOf(n *Network) *plannedVTEP {
	v := p.vteps[n.VTEP]
	if v == nil {
		v = &plannedVTEP{name: n.VTEP, VTEPDevices: ovnk.VTEPDevicesOf(n.VTEP), keptVIDs: map[uint16]bool{}, keptVNIs: map[uint32]bool{}}
		p.vteps[n.VTEP] = v
	}
	if !v.endpoint.IsValid() {
		v.endpoint = n.Endpoint
	}
	if mtu := mtuOf(n, p.byName); mtu > v.mtu {
		v.mtu = mtu
	}
	return v
}

// mtuOf is what pods of the network send, 0 if it is not known.
func mtuOf(n *Network, byName map[string]*Device) uint32 {
	if n.ID > 0 && byName[ovnk.ManagementPort(n.ID)] != nil {
		return byName[ovnk.ManagementPort(n.ID)].MTU
	}
	return 0
}

// find finds a VTEP's devices. Where somebody else's are in their place, its networks are
// held.
func (p *planner) find(v *plannedVTEP) {
	p.stays[v.Bridge], p.stays[v.VXLAN] = true, true
	if d := p.madeHere(v, v.Bridge); d != nil && d.Kind == kindBridge {
		v.bridge = d
	}
	if d := p.madeHere(v, v.VXLAN); d != nil && d.Kind == kindVXLAN {
		// The kernel takes these settings for a new device only.
		if d.VXLAN.External && d.VXLAN.VNIFilter && d.VXLAN.UDPPort == udpPort && d.VXLAN.Local.Is4() {
			v.vxlan = d
		} else {
			v.unusable = d
		}
	}
	if v.vxlan != nil && v.vxlan.Up {
		return
	}
	for i := range p.observed.Devices {
		if d := &p.observed.Devices[i]; d.takesUDPPort() {
			p.refuse(v, ReasonUDPPortTaken, "VXLAN device %s has UDP port %d, which %s needs: delete %s, or give it another port", d.Name, udpPort, v.VXLAN, d.Name)
		}
	}
}

// madeHere is the agent's device of the name. Another's refuses the VTEP.
func (p *planner) madeHere(v *plannedVTEP, name string) *Device {
	d := p.byName[name]
	if d != nil && !d.ours() {
		p.refuse(v, ReasonNameTaken, "device %s was not made by this agent, which leaves it alone; delete it (ip link del %s), and the agent makes its own", name, name)
		return nil
	}
	return d
}

// refuse holds the networks of a VTEP.
func (p *planner) refuse(v *plannedVTEP, reason Reason, format string, args ...any) {
	for _, at := range p.places {
		if at.vtep == v && !at.held {
			at.hold(reason, format, args...)
		}
	}
}

// takesUDPPort reports whether the agent's VXLAN devices can't share the port with this
// one: the kernel has several on a port only if each has a filter for its VNIs.
func (d *Device) takesUDPPort() bool {
	return d.Kind == kindVXLAN && !d.ours() && d.Up && d.VXLAN.UDPPort == udpPort && (!d.VXLAN.External || !d.VXLAN.VNIFilter)
}

// leftovers removes what no network wants: only what the agent made.
func (p *planner) leftovers() {
	for _, port := range p.observed.Ports {
		if port.Ours && !p.stays[port.Name] {
			p.change(Change{Verb: DeletePort, Device: port.Name})
		}
	}
	verbs := map[string]Verb{kindVLAN: DeleteSVI, kindVXLAN: DeleteVXLAN, kindBridge: DeleteBridge}
	for i := range p.observed.Devices {
		if d := &p.observed.Devices[i]; d.ours() && (!p.stays[d.Name] || !p.fits(d)) {
			p.change(Change{Verb: verbs[d.Kind], Device: d.Name, Index: d.Index})
		}
	}
}

// fits reports whether a device is of the kind that its name is for.
func (p *planner) fits(d *Device) bool {
	for _, v := range p.vteps {
		if d.Name == v.Bridge {
			return d.Kind == kindBridge
		}
		if d.Name == v.VXLAN {
			return d.Kind == kindVXLAN
		}
	}
	return d.Kind == kindVLAN
}

// faults are what is wrong with a device.
type faults []string

func (f *faults) add(wrong bool, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}
