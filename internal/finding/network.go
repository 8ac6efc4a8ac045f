package finding

import (
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with a network, or with what is advertised of it.

var invalidNetwork = enter("InvalidNetwork", invalid, ofNetwork,
	"The spec of a ClusterUserDefinedNetwork contradicts itself or has subnets that can't be used.",
	"Correct the field that the message names. OVN-Kubernetes refuses such an object if its CRD is current.")

// InvalidNetwork is for a ClusterUserDefinedNetwork whose spec can't be used.
func InvalidNetwork(cudn, fault string) *model.Problem {
	return invalidNetwork.problem("ClusterUserDefinedNetwork %q: %s", cudn, fault)
}

var notPrimary = enter("NotPrimary", invalid, ofNetwork,
	"The object selects a secondary network. Only primary Layer2 and Layer3 networks can be advertised.",
	"Change the network selector so that it leaves the network out.")

// NotPrimary is for a network that no pod has as its primary one.
func NotPrimary(network string) model.Finding {
	return notPrimary.about(network, "network %q is not a primary network, and only primary Layer2 and Layer3 networks can be advertised: "+
		"change the network selector so that it leaves it out", network)
}

var unsupportedTopology = enter("UnsupportedTopology", invalid, ofNetwork,
	"The object selects a network of another topology than Layer2 and Layer3.",
	"Change the network selector so that it leaves the network out.")

// UnsupportedTopology is for a network that is neither Layer2 nor Layer3.
func UnsupportedTopology(network string, topology model.Topology) model.Finding {
	return unsupportedTopology.about(network, "network %q has topology %s, and only Layer2 and Layer3 networks can be advertised: "+
		"change the network selector so that it leaves it out", network, topology)
}

var vrfUnknown = enter("VRFUnknown", pending, ofNetwork,
	"The network's VRF is named after its ID, because its own name is too long for a device, and OVN-Kubernetes has not published the ID yet.",
	"Wait for OVN-Kubernetes. It publishes the ID on a NetworkAttachmentDefinition in each namespace that the network selects: check that it selects one.")

// VRFUnknown is for a network whose VRF has no name yet; idAnnotation is where its
// ID is published.
func VRFUnknown(cudn, idAnnotation string) *model.Problem {
	return vrfUnknown.problem("the VRF of ClusterUserDefinedNetwork %q is not known yet: its name can't be a device's, so the VRF is named after the network's ID; "+
		"waiting for OVN-Kubernetes to publish that as annotation %s on a NetworkAttachmentDefinition of the network, "+
		"which it makes in each namespace that spec.namespaceSelector selects, or to set status.vrfName", cudn, idAnnotation)
}

var vrfShared = enter("VRFShared", invalid, ofNetwork,
	"Two networks map to one VRF, whose table can hold the routes of one. The older network keeps it.",
	"Give one of the ClusterUserDefinedNetworks another name.")

// VRFShared is for a network whose VRF an older one has.
func VRFShared(network, vrf, owner string) model.Finding {
	return vrfShared.about(network, "network %q maps to VRF %q, which network %q uses already: give one of the ClusterUserDefinedNetworks another name", network, vrf, owner)
}

var noRouterForVRF = enter("NoRouterForVRF", invalid, ofNetwork,
	"The targetVRF is auto, and no selected FRRConfiguration has a usable router in the network's VRF.",
	"Add a router with that VRF and a neighbor to one of them.")

// NoRouterForVRF is for a network whose own VRF has no router.
func NoRouterForVRF(network, vrf string) model.Finding {
	return noRouterForVRF.about(network, `no selected FRRConfiguration has a usable router in VRF %q, over which targetVRF "auto" advertises network %q: add a router with "vrf: %s" to one of them`,
		named(vrf), network, vrf)
}

var podSubnetsUnknown = enter("PodSubnetsUnknown", notice, ofNetwork,
	"The default network has no overlay, so nodes have to receive each other's pod subnets by BGP, and no object says what these are.",
	"Start the operator with --default-network-no-overlay-subnets and the value of OVN-Kubernetes' --cluster-subnets.")

// PodSubnetsUnknown is for a default network without overlay, as the evidence says.
func PodSubnetsUnknown(evidence NoOverlayEvidence) *model.Problem {
	return podSubnetsUnknown.problem("%s, so nodes have to receive each other's pod subnets, and no object says what these are: "+
		"start the operator with --default-network-no-overlay-subnets and the value of OVN-Kubernetes' --cluster-subnets", evidence)
}

// NoOverlayEvidence is the evidence that the default network has no overlay, "" if
// there is none, in the words of messages.
type NoOverlayEvidence string

// NADWithTransport is the evidence of a NetworkAttachmentDefinition.
func NADWithTransport(nad, transport string) NoOverlayEvidence {
	return NoOverlayEvidence(fmt.Sprintf("NetworkAttachmentDefinition %s has transport %q", nad, transport))
}

// ManagedDefault is the evidence of OVN-Kubernetes' own RouteAdvertisements object.
func ManagedDefault(ra string) NoOverlayEvidence {
	return NoOverlayEvidence(fmt.Sprintf("RouteAdvertisements %q is OVN-Kubernetes' own, for a default network without overlay", ra))
}

var subnetsOverlap = enter("SubnetsOverlap", invalid, ofNetwork,
	"Two networks in one VRF have subnets that overlap. BGP has one path per prefix, so only the older network is advertised.",
	"Give one of them other subnets, or advertise them over different VRFs.")

// SubnetsOverlap is for a network that overlaps an older one in a VRF.
func SubnetsOverlap(network string, prefix netip.Prefix, older string, other netip.Prefix, vrf string) model.Finding {
	where := "the default VRF"
	if vrf != "" {
		where = fmt.Sprintf("VRF %q", vrf)
	}
	return subnetsOverlap.about(network, "network %q overlaps network %q in %s (%s and %s), and %q was there first: "+
		"give one of them other subnets, or advertise them over different VRFs", network, older, where, prefix, other, older)
}

var annotationNotWritten = enter("AnnotationNotWritten", retryable, ofNetwork,
	"The manager could not annotate a NetworkAttachmentDefinition. OVN-Kubernetes waits for the annotation on its nodes.",
	"See the API server's error in the message. The manager tries again.")

// AnnotationNotWritten is for an annotation that a write failed for.
func AnnotationNotWritten(network, nad, annotation string, err error) model.Finding {
	return annotationNotWritten.about(network, "NetworkAttachmentDefinition %s could not be annotated with %s, which OVN-Kubernetes waits for on its nodes: %v", nad, annotation, err)
}

var vrfSharesASN = enter("VRFSharesASN", notice, ofNode,
	"A network has no overlay, and an FRRConfiguration gives the router in its VRF the nodes' own AS number. FRR drops what comes from other nodes over eBGP there.",
	"Remove that router, or give it another AS number.")

// VRFSharesASN is for a VRF that FRR imports nothing of other nodes into.
func VRFSharesASN(network, vrf string, asn uint32) model.Finding {
	return vrfSharesASN.onNode("network %q has no overlay, and the router that an FRRConfiguration has in its VRF %s has the nodes' AS number %d: "+
		"FRR imports nothing there that came from other nodes over eBGP; remove that router, or give it another AS number", network, vrf, asn)
}

var layer2NotReported = enter("Layer2NotReported", notice, ofNode,
	"OVN-Kubernetes sets networks up only on nodes with pods of them, and no agent has said whether the Layer2 network is on the node. The node advertises it all the same, and may drop its traffic.",
	"Run the agent on the node.")

// Layer2NotReported is for Layer2 networks that may not be on the node.
func Layer2NotReported(networks []string) model.Finding {
	quoted := make([]string, 0, len(networks))
	for _, n := range networks {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	return layer2NotReported.onNode("OVN-Kubernetes sets networks up only on nodes with pods of them, and for half an hour no agent has said "+
		"whether Layer2 network %s is there: the node advertises it all the same, and may drop its traffic; run the agent on the node", phrase.List(quoted, maxNames))
}
