package finding

import (
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// Why a prefix may not be advertised, and what is wrong with egress IPs.

// maxBounds is how many of a network's subnets, of which it may have hundreds, a
// message names.
const maxBounds = 2

// nodeSubnets is the annotation with a node's parts of networks.
const nodeSubnets = "k8s.ovn.org/node-subnets"

var ofPrefix = []model.ScopeKind{model.ScopeNetwork, model.ScopeEgressIP}

var (
	notRoutable = enter("NotRoutable", invalid, ofPrefix,
		"A prefix overlaps address space that is not routed, such as loopback, link-local or multicast addresses. It is not advertised.",
		"Give the network other subnets, or the EgressIP another address.")
	coversServices = enter("CoversServices", invalid, ofPrefix,
		"A prefix overlaps the addresses of Services. It is not advertised, because the fabric would send their traffic to pods.",
		"Give the network other subnets, or the EgressIP another address.")
	coversNode = enter("CoversNode", invalid, ofPrefix,
		"A prefix covers the address of a node. It is not advertised, because the fabric would send the node's traffic to pods.",
		"Give the network other subnets, or the EgressIP another address.")
	coversNeighbor = enter("CoversNeighbor", invalid, ofPrefix,
		"A prefix covers the address of a BGP neighbor. It is not advertised, because the session would break.",
		"Give the network other subnets, or the EgressIP another address.")
)

// Covered is why a prefix can't be advertised: what it covers, and under which reason.
type Covered struct {
	reason *Reason
	what   string
}

// Unroutable is a space that is not routed, in the words of messages.
func Unroutable(space string) Covered { return Covered{notRoutable, "overlaps " + space} }

// Services are the cluster's addresses of Services.
func Services(subnet netip.Prefix) Covered {
	return Covered{coversServices, fmt.Sprintf("overlaps %s, the addresses of Services", subnet)}
}

// NodeAddress is an address of a node.
func NodeAddress(address netip.Addr, node string) Covered {
	return Covered{coversNode, fmt.Sprintf("covers the address %s of node %s", address, node)}
}

// NeighborAddress is the address of a BGP neighbor.
func NeighborAddress(address netip.Addr, template string) Covered {
	return Covered{coversNeighbor, fmt.Sprintf("covers the address %s of a neighbor in FRRConfiguration %s", address, template)}
}

// Reason is the name of the reason.
func (c Covered) Reason() string { return c.reason.Name }

// Text says what the prefix covers.
func (c Covered) Text() string { return c.what }

// PrefixCovers is for a network's prefix that covers what it must not.
func PrefixCovers(network string, prefix netip.Prefix, covered Covered) model.Finding {
	return covered.reason.about(network, "%s of network %q is not advertised, because it %s: give the network other subnets", prefix, network, covered.what)
}

// EgressIPCovers is for an egress IP that isn't the EgressIP's to have.
func EgressIPCovers(egressIP string, address netip.Addr, covered Covered) model.Finding {
	return covered.reason.in(model.Scope{Kind: model.ScopeEgressIP, Name: egressIP},
		"EgressIP %q: %s is not advertised, because it %s: give it another address", egressIP, address, covered.what)
}

var hostSubnetDisputed = enter("HostSubnetDisputed", invalid, ofNetwork,
	"Two nodes claim the same part of a network in their annotation k8s.ovn.org/node-subnets. Neither advertises it.",
	"Find out who wrote the annotations, and correct the wrong one.")

// HostSubnetDisputed is for a part of a network that other nodes claim, too.
func HostSubnetDisputed(network string, prefix netip.Prefix, nodes []string) model.Finding {
	return hostSubnetDisputed.about(network, "%s of network %q is not advertised, because the annotation %s of %s claims it, too, or a part of it: "+
		"find out who wrote it, and correct the wrong one", prefix, network, nodeSubnets, phrase.List(nodes, maxNames))
}

var hostSubnetOutside = enter("HostSubnetOutside", invalid, ofNetwork,
	"A node's annotation k8s.ovn.org/node-subnets claims a prefix that can't be its part of the network.",
	"Find out who wrote the annotation, and remove it so that OVN-Kubernetes writes it again.")

// HostSubnetOutside is for a part that isn't one of the network's.
func HostSubnetOutside(network string, prefix netip.Prefix, subnets []model.NetworkSubnet) model.Finding {
	parts := make([]string, 0, len(subnets))
	for _, s := range subnets {
		parts = append(parts, fmt.Sprintf("%s (as /%d)", s.Prefix, s.HostLength))
	}
	return hostSubnetOutside.about(network, "%s of network %q is not advertised, because the annotation %s claims it and it is no node's part of the network's %s: "+
		"find out who wrote it, and remove it so that OVN-Kubernetes writes it again", prefix, network, nodeSubnets, phrase.List(parts, maxBounds))
}

var invalidEgressIP = enter("InvalidEgressIP", invalid, ofEgressIP,
	"The status of an EgressIP assigns something that is no IP address.",
	"Correct spec.egressIPs, from which OVN-Kubernetes takes it.")

// InvalidEgressIP is for an assignment that is no address.
func InvalidEgressIP(egressIP string, index int, text, node string) *model.Problem {
	return invalidEgressIP.problem("EgressIP %q: status.items[%d] assigns %q to node %s, which is no IP address: "+
		"correct spec.egressIPs, from which OVN-Kubernetes takes it", egressIP, index, text, node)
}

var egressIPOnLayer2 = enter("EgressIPOnLayer2", invalid, ofNetwork,
	"The object advertises EgressIP and selects a Layer2 network, whose egress IPs can't be advertised.",
	"Select the network in an object of its own that advertises PodNetwork only.")

// EgressIPOnLayer2 is for a network whose egress IPs can't be advertised.
func EgressIPOnLayer2(network string) model.Finding {
	return egressIPOnLayer2.about(network, "network %q is a Layer2 network, whose egress IPs can't be advertised: "+
		"select it in a RouteAdvertisements object of its own that advertises PodNetwork only", network)
}

var egressIPOfOtherNetwork = enter("EgressIPOfOtherNetwork", notice, ofEgressIP,
	"An EgressIP selects namespaces whose primary network is a namespaced UserDefinedNetwork. It is not advertised for their pods.",
	"Use a ClusterUserDefinedNetwork.")

// EgressIPOfOtherNetwork is for namespaces whose pods the egress IP is for and whose
// network can't be advertised; label is what says that they have one.
func EgressIPOfOtherNetwork(egressIP string, namespaces []string, label string) model.Finding {
	return egressIPOfOtherNetwork.about(egressIP, "EgressIP %q is not advertised for pods of %s: the label %s says that their primary network is a user-defined one, "+
		"and no ClusterUserDefinedNetwork selects the namespace; egress IPs of a namespaced UserDefinedNetwork can't be advertised: use a ClusterUserDefinedNetwork",
		egressIP, phrase.List(namespaces, maxNames), label)
}
