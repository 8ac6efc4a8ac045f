package finding

import (
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with a network's EVPN, or is good to know of it.

var evpnTargetVRF = enter("EVPNTargetVRF", invalid, ofNetwork,
	"The object selects a network with transport EVPN and has another targetVRF than auto or the network's own. The fabric knows such a network by its own VRF.",
	"Set targetVRF to auto, or select the network in another object.")

// EVPNTargetVRF is for an EVPN network that is to be advertised in another VRF.
func EVPNTargetVRF(network, vrf, target string) model.Finding {
	return evpnTargetVRF.about(network, "network %q has transport EVPN and can't be advertised in VRF %q, only in its own, %q: set targetVRF to \"auto\", "+
		"or select the network in a RouteAdvertisements object of its own", network, named(target), vrf)
}

var evpnWithEgressIP = enter("EVPNWithEgressIP", invalid, ofNetwork,
	"The object advertises EgressIP and selects a network with transport EVPN. OVN-Kubernetes has no egress IPs on such networks.",
	"Advertise PodNetwork alone for the network, in an object of its own.")

// EVPNWithEgressIP is for an EVPN network whose egress IPs are to be advertised.
func EVPNWithEgressIP(network string) model.Finding {
	return evpnWithEgressIP.about(network, "network %q has transport EVPN, on which OVN-Kubernetes has no egress IPs: "+
		"select it in a RouteAdvertisements object that advertises PodNetwork alone", network)
}

var vtepNotFound = enter("VTEPNotFound", pending, ofNetwork,
	"A network names a VTEP that does not exist.",
	"Make the VTEP.")

// VTEPNotFound is for a VTEP that is not there.
func VTEPNotFound(network, vtep string) model.Finding {
	return vtepNotFound.about(network, "network %q uses VTEP %q, which does not exist: make it", network, vtep)
}

var vniShared = enter("VNIShared", invalid, []model.ScopeKind{model.ScopeNetwork, model.ScopeNode},
	"Two VRFs have one VNI, by which tunnels could not tell their packets apart. frr-k8s refuses a node's whole configuration for it. The older network keeps it.",
	"Give one of them another VNI.")

// VNIShared is for a network with a VNI that an older network has.
func VNIShared(network string, vni uint32, owner string) model.Finding {
	return vniShared.about(network, "%s", sharedVNI(network, vni, owner))
}

// VNISharedOnNode is the same for networks of two VTEPs that meet on a node.
func VNISharedOnNode(network string, vni uint32, owner string) model.Finding {
	return vniShared.onNode("%s", sharedVNI(network, vni, owner))
}

func sharedVNI(network string, vni uint32, owner string) string {
	if network == owner {
		return fmt.Sprintf("network %q has VNI %d for both its macVRF and its ipVRF: give one of them another VNI", network, vni)
	}
	return fmt.Sprintf("network %q has VNI %d, which network %q has, too, and had first: give one of them another VNI", network, vni, owner)
}

var routeTargetShared = enter("RouteTargetShared", notice, ofNetwork,
	"Two networks have one route target, so that each learns the other's routes.",
	"Nothing if they are meant to. Else give one of them another route target.")

// RouteTargetShared is for networks that leak into each other.
func RouteTargetShared(network, target, other string) model.Finding {
	return routeTargetShared.about(network, "networks %q and %q both have route target %s and learn each other's routes: if that is not meant, give one of them another", network, other, target)
}

var routeTargetImportOnly = enter("RouteTargetImportOnly", notice, ofNetwork,
	"A route target has * for its AS, which can be imported and not exported. The network is exported with the target that FRR derives from the AS number and the VNI.",
	"Nothing if the fabric imports that one. Else write the AS number out.")

// RouteTargetImportOnly is for a route target with a wildcard.
func RouteTargetImportOnly(network, target string) model.Finding {
	return routeTargetImportOnly.about(network, "network %q has route target %s, which can only be imported: it is exported with the one that FRR derives from the AS number and the VNI; "+
		"to have another, write the AS number out", network, target)
}

var evpnDevices = enter("EVPNDevices", notice, ofNode,
	"FRR announces EVPN networks by a bridge, VXLAN and VLAN devices on the node, and no agent says whether they are there.",
	"Run the agent on the node. OVN-Kubernetes 1.3 or later makes the devices with --enable-evpn, in local gateway mode, or the agent does with --manage-evpn.")

// EVPNDevices is for a node of whose devices nothing is known.
func EVPNDevices() model.Finding {
	return evpnDevices.onNode("no agent says whether the bridge, VXLAN and VLAN devices are there by which FRR announces EVPN networks: run the agent on the node; " +
		"ovnkube-node makes the devices with --enable-evpn, in local gateway mode, or the agent with --manage-evpn")
}

var evpnNotReady = enter("EVPNNotReady", notice, ofNode,
	"The node's agent finds that devices of EVPN networks are missing or wrong, so that FRR announces nothing of these networks there, or packets get lost.",
	"Look at the condition EVPNReady of the node's NodeRouteState: its message names the devices and what to do.")

// EVPNNotReady is for a node with a fault in its devices; the reason is that of EVPNReady.
func EVPNNotReady(reason string) model.Finding {
	return evpnNotReady.onNode("the devices of its EVPN networks are not as they have to be (%s): see the condition EVPNReady of its NodeRouteState", reason)
}

var evpnNoUnderlay = enter("EVPNNoUnderlay", invalid, []model.ScopeKind{model.ScopeRouteAdvertisements, model.ScopeNode},
	"The object selects an EVPN network, and no selected FRRConfiguration has a router with a usable neighbor in the default VRF, by which EVPN routes travel.",
	"Add one to an FRRConfiguration that the object selects.")

// EVPNNoUnderlay is for an object whose templates carry no EVPN.
func EVPNNoUnderlay(ra, templates string) model.Finding {
	return evpnNoUnderlay.about(ra, "EVPN networks need a router with a neighbor in the default VRF, and %s has none that can be used: add one", templates)
}

// EVPNNoUnderlayOnNode is the same on a node.
func EVPNNoUnderlayOnNode() model.Finding {
	return evpnNoUnderlay.onNode("no FRRConfiguration that selects the node has a usable router with a neighbor in the default VRF, which EVPN networks need: add one")
}

var vtepAddressMissing = enter("VTEPAddressMissing", pending, ofNode,
	"OVN-Kubernetes has not said which of a node's addresses is its tunnel endpoint. The node's EVPN networks wait for that, and all others go on.",
	"Give the node an address within the VTEP's CIDRs; if it has one, look at the log of the node's ovnkube-node.")

// VTEPAddressMissing is for a node without an address of a VTEP.
func VTEPAddressMissing(vtep, annotation string) model.Finding {
	return vtepAddressMissing.onNode("annotation %s has no IPv4 address for VTEP %q: give the node an address within its CIDRs; if it has one, look at the log of the node's ovnkube-node", annotation, vtep)
}

// VTEPAddressNotFound is for a node on which OVN-Kubernetes has not found the address that
// the operator gave it.
func VTEPAddressNotFound(vtep string, address netip.Addr, annotation string) model.Finding {
	return vtepAddressMissing.onNode("the operator gave the node address %s of VTEP %q, and annotation %s does not have it yet: "+
		"start the node's agent with --manage-vteps, and look at the log of its ovnkube-node", address, vtep, annotation)
}

var vtepNotAllocated = enter("VTEPNotAllocated", pending, ofNode,
	"The operator gives nodes the addresses of a VTEP, and has not given the node one yet. The node's EVPN networks wait for that, and all others go on.",
	"Nothing if the node is new. Else look at the VTEP's condition Accepted: there may be no address left; append a range to spec.cidrs.")

// VTEPNotAllocated is for a node that is still to get an address of a VTEP.
func VTEPNotAllocated(vtep string) model.Finding {
	return vtepNotAllocated.onNode("the node has no IPv4 address of VTEP %q yet: the manager gives it one as long as there are any left in spec.cidrs", vtep)
}

var vtepAddressOutside = enter("VTEPAddressOutside", invalid, ofNode,
	"A node claims a tunnel endpoint that is outside of the VTEP's CIDRs. Its EVPN networks are left out there.",
	"Correct the node's annotation k8s.ovn.org/vteps, or the VTEP's CIDRs.")

// VTEPAddressOutside is for an address that can't be of the VTEP.
func VTEPAddressOutside(vtep string, address netip.Addr) model.Finding {
	return vtepAddressOutside.onNode("the node's address %s for VTEP %q is outside of the VTEP's CIDRs: correct the annotation or the CIDRs", address, vtep)
}

var vtepDuplicate = enter("VTEPDuplicate", invalid, ofNode,
	"Several nodes claim one tunnel endpoint. The EVPN networks of that VTEP are left out on all of them: which of them the address belongs to is not known.",
	"Give each of the nodes an address of its own, and correct the annotation k8s.ovn.org/vteps of those that are wrong.")

// VTEPDuplicate is for an address that others claim, too.
func VTEPDuplicate(vtep string, address netip.Addr, others []string) model.Finding {
	return vtepDuplicate.onNode("the node's address %s for VTEP %q is also that of %s: give each node one of its own", address, vtep, phrase.List(others, maxNames))
}

var vtepIsNodeAddress = enter("VTEPIsNodeAddress", notice, ofNode,
	"A node's tunnel endpoint is the address of its network interface. Tunnels stop with that interface.",
	"Nothing, or for a node with two uplinks an address on a dummy device and a VTEP with its CIDR.")

// VTEPIsNodeAddress is for a tunnel endpoint that is bound to one interface.
func VTEPIsNodeAddress(vtep string, address netip.Addr) model.Finding {
	return vtepIsNodeAddress.onNode("address %s for VTEP %q is the node's own: tunnels stop with its interface, and another uplink can't take over", address, vtep)
}

var vtepNotAnnounced = enter("VTEPNotAnnounced", notice, ofNode,
	"A node has EVPN neighbors, and none of them takes IPv4 prefixes: they have only family evpn, or addresses of IPv6. So nobody hears from the node how its tunnel endpoint is reached.",
	"Nothing if the fabric knows the way, as from another routing protocol. Else add an unnumbered neighbor or one with an IPv4 address, with family unicast.")

// VTEPNotAnnounced is for a tunnel endpoint that no neighbor hears of.
func VTEPNotAnnounced(vtep string, address netip.Addr) model.Finding {
	return vtepNotAnnounced.onNode("no neighbor takes IPv4 prefixes, so that none hears how address %s for VTEP %q is reached: if the fabric does not know the way already, "+
		"add a neighbor for unicast that is unnumbered or has an IPv4 address", address, vtep)
}

var routeTargetShortened = enter("RouteTargetShortened", notice, ofNode,
	"An EVPN network has no route target, a VNI above 65535 and a router with a 4-byte AS number, of which FRR's own route target has the low 16 bits.",
	"Give the network a route target if the fabric expects another one.")

// RouteTargetShortened is for a VNI whose automatic route target surprises.
func RouteTargetShortened(network string, vni, asn uint32) model.Finding {
	return routeTargetShortened.onNode("network %q has VNI %d and no route target: FRR's own for it is %d:%d, with the low 16 bits of AS number %d; "+
		"give the network one if the fabric expects another", network, vni, asn&0xffff, vni, asn)
}

var ipVRFHasNeighbors = enter("IPVRFHasNeighbors", invalid, ofTemplate,
	"An FRRConfiguration has a neighbor in the IP-VRF of an EVPN network, which frr-k8s does not take together. The IP-VRF is left out on the nodes that the FRRConfiguration selects.",
	"Remove the neighbor, or the network's ipVRF.")

// IPVRFHasNeighbors is for a neighbor in an IP-VRF.
func IPVRFHasNeighbors(template, vrf, network string) model.Finding {
	return ipVRFHasNeighbors.about(template, "FRRConfiguration %s has a neighbor in VRF %q, the IP-VRF of EVPN network %q, and frr-k8s does not take the two together: "+
		"remove the neighbor, or the network's ipVRF", template, vrf, network)
}

// EVPNConflict is for an object that frr-k8s does not merge with EVPN of networks;
// without says what is left out for it.
func EVPNConflict(template, vrf, what, without string) model.Finding {
	return evpnConflict.about(template, "FRRConfiguration %s has EVPN in the router in VRF %q that frr-k8s would not merge with what EVPN networks need (%s), so %s left out: "+
		"make it agree", template, named(vrf), what, without)
}
