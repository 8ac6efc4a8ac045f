package evpn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// udpPort is the one that OVN-Kubernetes and the fabric use.
	udpPort = 4789
	// overhead is what a tunnel adds to a packet: the Ethernet header within, and headers
	// of VXLAN, UDP and IPv4.
	overhead = 50
)

// Check returns what the node has of each network, sorted by name. byAgent says that the
// agent makes the devices, and nobody has to be asked for them.
func Check(networks []Network, observed *Observed, byAgent bool) []State {
	c := &checker{observed: observed, byAgent: byAgent, byName: make(map[string]*Device, len(observed.Devices))}
	for i := range observed.Devices {
		c.byName[observed.Devices[i].Name] = &observed.Devices[i]
	}
	out := make([]State, 0, len(networks))
	for _, n := range sorted(networks) {
		out = append(out, c.network(&n))
	}
	return out
}

// unread are the states of networks while the kernel can't be read.
func unread(networks []Network, err error) []State {
	var out []State
	for _, n := range sorted(networks) {
		s := begin(&n)
		s.trouble(ReasonKernelUnread, "%s", err)
		out = append(out, s)
	}
	return out
}

func sorted(networks []Network) []Network {
	return slices.SortedStableFunc(slices.Values(networks), func(a, b Network) int { return cmp.Compare(a.Name, b.Name) })
}

type checker struct {
	observed *Observed
	byAgent  bool
	byName   map[string]*Device
}

func begin(n *Network) State {
	names := ovnk.VTEPDevicesOf(n.VTEP)
	return State{
		Network: n.Name, VTEP: n.VTEP, Endpoint: n.Endpoint, Bridge: names.Bridge, VXLAN: names.VXLAN,
		MACVRF: VPNState{VPN: n.MACVRF}, IPVRF: VPNState{VPN: n.IPVRF},
	}
}

// place is where a network is on the node, with the devices that are there.
type place struct {
	*Network
	*State
	names               ovnk.NetworkDevices
	bridge, vxlan, port *Device
}

func (c *checker) network(n *Network) State {
	s := begin(n)
	at := &place{Network: n, State: &s}
	if !at.known() {
		return s
	}
	if _, there := c.observed.Addresses[n.Endpoint]; !there && n.Allocated {
		s.trouble(ReasonAddressMissing, "no link of the node has address %s of VTEP %q, which the manager gave it: start the agent with --manage-vteps", n.Endpoint, n.VTEP)
	} else if !there {
		s.trouble(ReasonAddressMissing, "no link of the node has address %s of VTEP %q: give it to one, or correct the annotation k8s.ovn.org/vteps", n.Endpoint, n.VTEP)
	}
	c.checkBridge(at)
	c.checkVXLAN(at)
	if at.bridge == nil {
		// Without it nothing of the network can be there.
		return s
	}
	c.checkVNI(at, &s.IPVRF)
	c.checkVNI(at, &s.MACVRF)
	c.checkVRF(at)
	c.checkPort(at)
	if n.Switch != "" && n.MACVRF.VNI != 0 {
		s.trouble(ReasonSwitchNotJoined, "%s", n.Switch)
	}
	c.checkMTU(at)
	c.count(at)
	return s
}

// known reports whether there is all that devices are looked for by.
func (at *place) known() bool {
	if at.Network.Problem != "" {
		at.trouble(ReasonNetworkUnknown, "%s", at.Network.Problem)
	}
	if !at.Network.Endpoint.IsValid() {
		at.trouble(ReasonNetworkUnknown, "the node's address of VTEP %q is not known", at.Network.VTEP)
	}
	if at.VRF == "" && at.Network.Problem == "" {
		at.trouble(ReasonNetworkUnknown, "the name of its VRF device is not known yet")
	}
	var ok bool
	if at.names, ok = ovnk.NetworkDevicesOf(at.Network.Name, at.ID); !ok {
		at.trouble(ReasonNetworkUnknown, "its devices are named by the network's ID, which is not known yet")
	}
	at.State.MACVRF.SVI, at.State.IPVRF.SVI = at.names.L2SVI, at.names.L3SVI
	for _, v := range [...]*VPNState{&at.State.MACVRF, &at.State.IPVRF} {
		if v.VNI == 0 {
			*v = VPNState{}
		} else if v.VID == 0 {
			at.trouble(ReasonNetworkUnknown, "OVN-Kubernetes has not told the VLAN of VNI %d yet, which is in the network's NetworkAttachmentDefinitions", v.VNI)
		}
	}
	return at.State.Problem == ""
}

// of finds a device of a kind. A device of another kind that has the name is told of.
func (c *checker) of(at *place, kind, name string, missing Reason, what string) *Device {
	d := c.byName[name]
	switch {
	case d == nil && c.byAgent:
		at.trouble(missing, "%s %s is not on the node yet", what, name)
	case d == nil:
		at.trouble(missing, "%s %s is not on the node: ovnkube-node makes it with --enable-evpn, in local gateway mode, or the agent with --manage-evpn", what, name)
	case kind != "" && d.Kind != kind:
		at.trouble(missing, "%s is to be %s, and is a %s device: rename or delete that one", name, what, cmp.Or(d.Kind, "physical"))
		return nil
	}
	return d
}

func (c *checker) checkBridge(at *place) {
	at.bridge = c.of(at, kindBridge, at.State.Bridge, ReasonBridgeMissing, "the bridge")
	if at.bridge == nil {
		return
	}
	b := at.bridge
	at.RouterMAC, at.ByOVNKubernetes, at.ByAgent = b.MAC, strings.HasPrefix(b.Alias, ovnk.DeviceAlias), b.ours()
	var wrong []string
	if !b.Up {
		wrong = append(wrong, "is down")
	}
	if !b.Bridge.VLANFiltering {
		wrong = append(wrong, "does not filter VLANs (vlan_filtering 1)")
	}
	if b.Bridge.DefaultPVID != 0 {
		wrong = append(wrong, fmt.Sprintf("puts every port into VLAN %d (vlan_default_pvid 0)", b.Bridge.DefaultPVID))
	}
	at.wrong(ReasonBridgeWrong, b, wrong)
}

// wrong tells all that is wrong with a device at once.
func (at *place) wrong(reason Reason, d *Device, faults []string) {
	if len(faults) > 0 {
		at.trouble(reason, "%s %s", d.Name, strings.Join(faults, ", "))
	}
}

func (c *checker) checkVXLAN(at *place) {
	at.vxlan = c.of(at, kindVXLAN, at.State.VXLAN, ReasonVXLANMissing, "the VXLAN device")
	if at.vxlan == nil {
		return
	}
	v := at.vxlan
	var wrong []string
	for _, setting := range []struct {
		right bool
		fault string
	}{
		{v.Up, "is down"},
		{at.bridge == nil || v.Master == at.bridge.Index, "is not a port of " + at.State.Bridge},
		{v.VXLAN.External, "has a VNI of its own (external)"},
		{v.VXLAN.UDPPort == udpPort, fmt.Sprintf("has UDP port %d instead of %d", v.VXLAN.UDPPort, udpPort)},
		{v.VXLAN.Local == at.Network.Endpoint, fmt.Sprintf("sends from %s instead of %s", v.VXLAN.Local, at.Network.Endpoint)},
		{v.Port.VLANTunnel, "does not take VNIs for VLANs (vlan_tunnel on)"},
		{v.Port.NeighSuppress, "floods ARP requests that FRR has the answer to (neigh_suppress on)"},
		{!v.Port.Learning, "learns addresses by itself (learning off)"},
	} {
		if !setting.right {
			wrong = append(wrong, setting.fault)
		}
	}
	at.wrong(ReasonVXLANWrong, v, wrong)
	if !v.VXLAN.VNIFilter {
		at.trouble(ReasonNoVNIFilter, "%s has no VNI filter, which kernels have since Linux 5.18", v.Name)
	}
}

// checkVNI looks whether frames of a VNI get to its VLAN, and back.
func (c *checker) checkVNI(at *place, v *VPNState) {
	if v.VNI == 0 || at.vxlan == nil {
		return
	}
	var missing []string
	if at.vxlan.VXLAN.VNIFilter && !c.observed.filtered(at.vxlan.Index, v.VNI) {
		missing = append(missing, "the VNI is not in "+at.vxlan.Name+"'s filter")
	}
	port, bridge := PortVLAN{at.vxlan.Index, v.VID}, PortVLAN{at.bridge.Index, v.VID}
	switch vni := c.observed.Tunnels[port]; vni {
	case v.VNI:
	case 0:
		missing = append(missing, fmt.Sprintf("%s has no VNI for VLAN %d", at.vxlan.Name, v.VID))
	default:
		missing = append(missing, fmt.Sprintf("%s has VNI %d for VLAN %d", at.vxlan.Name, vni, v.VID))
	}
	for _, on := range []struct {
		PortVLAN
		name string
	}{{port, at.vxlan.Name}, {bridge, at.bridge.Name}} {
		if _, there := c.observed.VLANs[on.PortVLAN]; !there {
			missing = append(missing, fmt.Sprintf("%s is not in VLAN %d", on.name, v.VID))
		}
	}
	v.Carried = len(missing) == 0 && at.vxlan.VXLAN.VNIFilter && at.vxlan.Master == at.bridge.Index
	if len(missing) > 0 {
		at.trouble(ReasonVNIMissing, "VNI %d: %s", v.VNI, strings.Join(missing, ", "))
	}
}

// checkVRF looks for the network's VRF and the VLAN devices in it.
func (c *checker) checkVRF(at *place) {
	vrf := c.byName[at.VRF]
	if vrf == nil || vrf.Kind != kindVRF {
		vrf = nil
		at.trouble(ReasonVRFMissing, "the VRF device %s is not on the node; it comes with the network's first use there, or with the agent's flag --manage-vrfs", at.VRF)
	}
	for _, v := range [...]*VPNState{&at.State.IPVRF, &at.State.MACVRF} {
		if v.VNI != 0 {
			c.checkSVI(at, v, vrf)
		}
	}
}

func (c *checker) checkSVI(at *place, v *VPNState, vrf *Device) {
	svi := c.of(at, kindVLAN, v.SVI, ReasonSVIMissing, "the VLAN device")
	switch {
	case svi == nil:
		return
	case svi.Parent != at.bridge.Index || svi.VID != v.VID:
		at.trouble(ReasonSVIMissing, "%s is VLAN %d of %s, and is to be VLAN %d of %s: delete it%s", v.SVI, svi.VID, c.nameOf(svi.Parent), v.VID, at.bridge.Name, c.restart(" and "))
		return
	}
	if !svi.Up {
		at.trouble(ReasonSVIDown, "%s is down: set it up (ip link set %s up)", v.SVI, v.SVI)
	}
	if vrf != nil && svi.Master != vrf.Index {
		where := "in no VRF"
		if svi.Master != 0 {
			where = "in " + c.nameOf(svi.Master)
		}
		at.trouble(ReasonSVIWrongVRF, "%s is %s instead of VRF %s: put it there (ip link set %s master %s)", v.SVI, where, at.VRF, v.SVI, at.VRF)
	}
}

func (c *checker) nameOf(index int32) string {
	for i := range c.observed.Devices {
		if c.observed.Devices[i].Index == index {
			return c.observed.Devices[i].Name
		}
	}
	return fmt.Sprintf("device %d", index)
}

// restart asks for a restart of what makes the devices, if that isn't the agent itself.
func (c *checker) restart(before string, after ...string) string {
	if c.byAgent {
		return ""
	}
	return before + "restart ovnkube-node" + strings.Join(after, "")
}

// checkPort looks for OVN's port in the MAC-VRF. Networks without one have none.
func (c *checker) checkPort(at *place) {
	v := &at.State.MACVRF
	if v.VNI == 0 {
		return
	}
	at.port = c.of(at, "", at.names.Port, ReasonPortMissing, "OVN's port")
	if at.port == nil {
		return
	}
	var wrong []string
	if !at.port.Up {
		wrong = append(wrong, "is down")
	}
	if at.port.Master != at.bridge.Index {
		wrong = append(wrong, "is not a port of "+at.bridge.Name)
	}
	if vlan := c.observed.VLANs[PortVLAN{at.port.Index, v.VID}]; !vlan.PVID || !vlan.Untagged {
		wrong = append(wrong, fmt.Sprintf("does not have VLAN %d as its untagged one (pvid untagged)", v.VID))
	}
	at.wrong(ReasonPortWrong, at.port, wrong)
}

// checkMTU compares what pods send with what the underlay takes.
func (c *checker) checkMTU(at *place) {
	at.State.MTU = mtuOf(at.Network, c.byName)
	if at.State.MTU == 0 && at.port != nil {
		at.State.MTU = at.port.MTU
	}
	link, found := c.observed.Underlays[at.Network.Endpoint]
	if !found {
		return
	}
	at.Underlay, at.UnderlayMTU = link.Device, link.MTU
	if at.State.MTU > 0 && at.UnderlayMTU < at.State.MTU+overhead {
		at.trouble(ReasonMTUTooSmall, "tunnels leave by %s with MTU %d, and the network's MTU of %d needs %d there: raise the first or lower the second",
			link.Device, link.MTU, at.State.MTU, at.State.MTU+overhead)
	}
}

// count counts hosts, and notices where their addresses got lost.
func (c *checker) count(at *place) {
	for _, v := range [...]*VPNState{&at.State.IPVRF, &at.State.MACVRF} {
		if v.VNI == 0 {
			continue
		}
		if at.vxlan != nil {
			v.RemoteMACs = c.observed.MACs[PortVLAN{at.vxlan.Index, v.VID}].Learned
			v.RemoteEndpoints = c.observed.Endpoints[DeviceVNI{at.vxlan.Index, v.VNI}]
		}
		if svi := c.byName[v.SVI]; svi != nil {
			v.RemoteAddresses = c.observed.Neighbors[svi.Index].Learned
		}
	}
	v := &at.State.MACVRF
	if at.port == nil || v.VNI == 0 {
		return
	}
	v.LocalMACs = c.observed.MACs[PortVLAN{at.port.Index, v.VID}].Fixed
	svi := c.byName[v.SVI]
	if svi == nil {
		return
	}
	v.LocalAddresses = c.observed.Neighbors[svi.Index].Fixed
	// Hosts without addresses are none that the agent would miss one of.
	if v.LocalMACs > 0 && v.LocalAddresses == 0 && !c.byAgent {
		at.trouble(ReasonNeighborsMissing, "%s has %d MAC addresses of pods, and %s none of their IP addresses, which it loses when it goes down%s",
			at.port.Name, v.LocalMACs, v.SVI, c.restart(": ", ", which writes them again"))
	}
}
