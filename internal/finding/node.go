package finding

import (
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with a node, or is not known of it yet.

// lookAtLogs is where to look if OVN-Kubernetes does not do its part.
const lookAtLogs = "if nothing changes, look at the logs of ovnkube-control-plane and of the node's ovnkube-node"

var annotationMissing = enter("AnnotationMissing", pending, ofNode,
	"OVN-Kubernetes has not written an annotation of the node yet. What was last applied to the node stays.",
	"Wait; if nothing changes, look at the logs of ovnkube-control-plane and of the node's ovnkube-node.")

// SubnetsMissing is for the annotation with a node's parts of networks.
func SubnetsMissing(annotation string) *model.Problem {
	return missing(annotation, "OVN-Kubernetes has not given the node its subnets yet")
}

// GatewayMissing is for the annotation with the gateway on a node's DPU.
func GatewayMissing(annotation string) *model.Problem {
	return missing(annotation, "OVN-Kubernetes has not set up the gateway on the node's DPU yet")
}

// ChassisMissing is for the annotation with the chassis of a node's DPU.
func ChassisMissing(annotation string) *model.Problem {
	return missing(annotation, "the node's DPU has not joined OVN yet")
}

func missing(annotation, meaning string) *model.Problem {
	return annotationMissing.problem("annotation %s is missing: %s; %s", annotation, meaning, lookAtLogs)
}

var annotationMalformed = enter("AnnotationMalformed", invalid, ofNode,
	"An annotation of the node can't be read. What was last applied to the node stays.",
	"Correct the annotation, or remove it so that OVN-Kubernetes writes it again.")

// AnnotationMalformed is for an annotation that has to be repaired.
func AnnotationMalformed(err error) *model.Problem {
	return annotationMalformed.problem("%s: correct it, or remove it so that OVN-Kubernetes writes it again", err)
}

var defaultSubnetMissing = enter("DefaultSubnetMissing", pending, ofNode,
	"The node's annotation k8s.ovn.org/node-subnets has no subnet of the default network, which every node is on. What was last applied to the node stays.",
	"Wait; if nothing changes, look at the logs of ovnkube-control-plane and of the node's ovnkube-node.")

// DefaultSubnetMissing is for an annotation that lacks the default network.
func DefaultSubnetMissing(annotation string) *model.Problem {
	return defaultSubnetMissing.problem(`annotation %s has no subnet for "default", the network that every node is on: waiting for OVN-Kubernetes to add it; %s`, annotation, lookAtLogs)
}

var gatewayWithoutAddress = enter("GatewayWithoutAddress", pending, ofNode,
	"The annotation with the gateway of a DPU host has no addresses. Neighbors need them as next hops.",
	"Wait; if nothing changes, look at the log of the DPU's ovnkube-node.")

// GatewayWithoutAddress is for a gateway that gives neighbors no next hop.
func GatewayWithoutAddress(annotation string) *model.Problem {
	return gatewayWithoutAddress.problem("annotation %s has no ip-addresses, which neighbors need as next hops: waiting for OVN-Kubernetes to add them; "+
		"see the log of the DPU's ovnkube-node", annotation)
}

var uplinkNotResolved = enter("UplinkNotResolved", pending, ofNode,
	"OVN-Kubernetes has not found the network's uplink on a DPU host yet. Neighbors need its addresses as next hops.",
	"Wait; if nothing changes, look at the Uplink object of that name and at the log of the DPU's ovnkube-node.")

// UplinkWithoutState is for an uplink that OVN-Kubernetes has not reported on.
func UplinkWithoutState(uplink string) *model.Problem {
	return unresolved(uplink, "has no UplinkState for the node yet")
}

// UplinkNotResolved is for an uplink that OVN-Kubernetes looks for; reason is that of
// its condition, "" if there is none.
func UplinkNotResolved(uplink, reason string) *model.Problem {
	what := "is not resolved on the node yet"
	if reason != "" {
		what += " (" + reason + ")"
	}
	return unresolved(uplink, what)
}

// UplinkWithoutAddress is for an uplink that gives neighbors no next hop.
func UplinkWithoutAddress(uplink string) *model.Problem {
	return unresolved(uplink, "has no addresses on the node yet, which neighbors need as next hops")
}

func unresolved(uplink, what string) *model.Problem {
	return uplinkNotResolved.problem("uplink %q %s: waiting for OVN-Kubernetes, which finds it by the Uplink object of that name; "+
		"see there and in the log of the DPU's ovnkube-node", uplink, what)
}

var uplinkStateMalformed = enter("UplinkStateMalformed", invalid, ofNode,
	"The UplinkState of the network's uplink on a DPU host can't be read.",
	"Remove the object so that OVN-Kubernetes writes it again.")

// UplinkStateMalformed is for addresses of an uplink that are no list of strings.
func UplinkStateMalformed(uplink string) *model.Problem {
	return malformedUplink(uplink, "is no list of strings")
}

// UplinkAddressMalformed is for one of an uplink's addresses.
func UplinkAddressMalformed(uplink, address string) *model.Problem {
	return malformedUplink(uplink, fmt.Sprintf("has %q, which is not an address with a prefix length", address))
}

func malformedUplink(uplink, what string) *model.Problem {
	return uplinkStateMalformed.problem("the UplinkState of uplink %q for the node can't be used, because status.ipAddresses %s: "+
		"remove the object so that OVN-Kubernetes writes it again", uplink, what)
}

var hostnameLabelMissing = enter("HostnameLabelMissing", invalid, ofNode,
	"The node has no label kubernetes.io/hostname, by which the generated FRRConfiguration selects it.",
	"Add the label, with a value that no other node has.")

// HostnameLabelMissing is for a node that no selector can single out.
func HostnameLabelMissing() *model.Problem {
	return hostnameLabelMissing.problem("the label %s is missing, by which the generated FRRConfiguration selects the node: "+
		"add it, with a value that no other node has", model.LabelHostname)
}

var hostnameLabelShared = enter("HostnameLabelShared", invalid, ofNode,
	"Several nodes have the same label kubernetes.io/hostname, so an FRRConfiguration for one of them would apply to all.",
	"Give each node a value of its own.")

// HostnameLabelShared is for nodes with one hostname label.
func HostnameLabelShared(nodes []string, hostname string) *model.Problem {
	return hostnameLabelShared.problem("nodes %s share the label %s=%s, so an FRRConfiguration for one of them would apply to all: give each a value of its own",
		phrase.List(nodes, maxNames), model.LabelHostname, hostname)
}

var nodeWithoutTemplate = enter("NodeWithoutTemplate", notice, ofNode,
	"The object selects the node, and none of its FRRConfigurations does. The node advertises nothing.",
	"Nothing if that is how you want it. Otherwise change the nodeSelector of an FRRConfiguration, or add one.")

// NodeWithoutTemplate is for a node that no template applies to. It may be meant that
// way; NoTemplateOnNodes is for an object that has no other nodes.
func NodeWithoutTemplate() model.Finding {
	return nodeWithoutTemplate.onNode("no selected FRRConfiguration applies to the node: change the nodeSelector of one, or add one, if the node should advertise")
}

// IsNodeWithoutTemplate reports whether NoTemplateOnNodes replaces the finding.
func IsNodeWithoutTemplate(f model.Finding) bool { return nodeWithoutTemplate.Is(f) }

var nodeKept = enter("NodeKept", pending, ofNode,
	"Another RouteAdvertisements object can't be planned on the node yet. What was last applied to the node stays, also for this object.",
	"See what the other object's status says about the node.")

// NodeKept is for an object that waits for another one's node.
func NodeKept() model.Finding {
	return nodeKept.onNode("what was last applied stays, because another RouteAdvertisements object can't be planned there yet")
}

var othersKept = enter("OthersKept", pending, ofNode,
	"The node can't be planned yet, and keeps what it has of other RouteAdvertisements objects, too, which are gone or don't apply to it any more.",
	"Mend what keeps the node from being planned; the other findings about it say what that is.")

// OthersKept is for a node that keeps what it has of objects that are gone.
func OthersKept(others []string) model.Finding {
	return othersKept.onNode("until then the node also keeps what it has of RouteAdvertisements %s, which are gone or don't apply to it any more", strings.Join(others, ", "))
}

var frrReportsError = enter("FRRReportsError", retryable, ofNode,
	"The frr-k8s on the node reports that it could not convert or load the configuration.",
	"See the error in the message. All FRRConfigurations that select the node count together, those of others too.")

// FRRReportsError is for a step of frr-k8s, the conversion or the reload, that failed.
func FRRReportsError(step, result string) model.Finding {
	return frrReportsError.onNode("frr-k8s reports that the %s of the node's configuration failed: %s", step, result)
}

var nodesWithoutAddress = enter("NodesWithoutAddress", pending, ofTemplate,
	"Networks with routing Managed need the nodes' addresses to peer with, and no node tells one in its annotation.",
	"Wait; if nothing changes, look at the logs of ovnkube-control-plane and of the nodes' ovnkube-node.")

// NodesWithoutAddress is for managed routing between nodes without addresses.
func NodesWithoutAddress(annotation string, nodes []string) *model.Problem {
	return nodesWithoutAddress.problem("networks with routing Managed need the nodes' addresses to peer with, and no node tells one: annotation %s is missing on %s; %s",
		annotation, phrase.List(nodes, maxNames), lookAtLogs)
}

var managedRoutingNotConfigured = enter("ManagedRoutingNotConfigured", invalid, ofTemplate,
	"A network has routing Managed, and the operator was not told the ASN and frr-k8s' namespace for it.",
	"Start the operator with --managed-asn and --managed-namespace, or set spec.network.noOverlay.routing to Unmanaged and write a RouteAdvertisements object.")

// ManagedRoutingNotConfigured is for managed routing without what it needs.
func ManagedRoutingNotConfigured() *model.Problem {
	return managedRoutingNotConfigured.problem("networks with routing Managed need an ASN and frr-k8s' namespace: " +
		"start the operator with both, or set spec.network.noOverlay.routing to Unmanaged and write a RouteAdvertisements object")
}
