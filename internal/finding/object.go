package finding

import (
	"fmt"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// maxNames is how many names a message lists.
const maxNames = 3

// What is wrong with a RouteAdvertisements object as a whole.

var nothingAdvertised = enter("NothingAdvertised", invalid, ofObject,
	"The object advertises nothing: spec.advertisements is empty.",
	"Add PodNetwork, EgressIP or both.")

// NothingAdvertised is for an object that names nothing to advertise.
func NothingAdvertised() *model.Problem {
	return nothingAdvertised.problem("spec.advertisements names nothing to advertise: add PodNetwork, EgressIP or both")
}

var invalidAdvertisement = enter("InvalidAdvertisement", invalid, ofObject,
	"The object advertises something that the operator does not know, in spec.advertisements.",
	"Use PodNetwork, EgressIP or both.")

// InvalidAdvertisement is for an unknown kind of advertisement.
func InvalidAdvertisement(kind string) *model.Problem {
	return invalidAdvertisement.problem("spec.advertisements has %q, which is unknown: use PodNetwork, EgressIP or both", kind)
}

var invalidNetworkSelector = enter("InvalidNetworkSelector", invalid, ofObject,
	"An entry of spec.networkSelectors is of a type that can't be advertised, or lacks the selector of its type.",
	"Use DefaultNetwork, or ClusterUserDefinedNetworks with a clusterUserDefinedNetworkSelector.")

// SelectorMissing is for an entry of spec.networkSelectors without its selector.
func SelectorMissing(index int) *model.Problem {
	return invalidNetworkSelector.problem("spec.networkSelectors[%d] has no clusterUserDefinedNetworkSelector: add it; "+
		"an empty networkSelector in it selects all ClusterUserDefinedNetworks", index)
}

// NetworkTypeUnsupported is for an entry of spec.networkSelectors of another type.
func NetworkTypeUnsupported(index int, kind string) *model.Problem {
	return invalidNetworkSelector.problem("spec.networkSelectors[%d] is of type %q, which can't be advertised: "+
		"use DefaultNetwork or ClusterUserDefinedNetworks", index, kind)
}

var invalidSelector = enter("InvalidSelector", invalid,
	[]model.ScopeKind{model.ScopeRouteAdvertisements, model.ScopeNetwork, model.ScopeTemplate, model.ScopeEgressIP, model.ScopeRoutePolicy, model.ScopeDrainPolicy},
	"A label selector can't be used: a key, a value or an operator in it is malformed.",
	"Correct the field that the message names.")

// InvalidSelector is for a label selector, by the path of its field.
func InvalidSelector(field, fault string) *model.Problem {
	return invalidSelector.problem("%s can't be used: %s", field, fault)
}

var invalidVRFName = enter("InvalidVRFName", []model.Outcome{model.Invalid, model.Notice},
	[]model.ScopeKind{model.ScopeRouteAdvertisements, model.ScopeNetwork, model.ScopeTemplate},
	"Linux takes no device of that name, so no VRF can have it: in spec.targetVRF, in a router of an FRRConfiguration, or of a ClusterUserDefinedNetwork.",
	"Name a VRF that the nodes have. If the network's own name does it, create the network again under another one.")

// TargetVRFName is for a spec.targetVRF that can't be a device's name.
func TargetVRFName(vrf, fault string) *model.Problem {
	return invalidVRFName.problem(`spec.targetVRF %q can't be the name of a VRF because it %s: name a VRF that the nodes have, or use "default" or "auto"`, vrf, fault)
}

// RouterVRFName is for a router of an FRRConfiguration. FRR waits for such a VRF for
// ever, and everything else in the object works.
func RouterVRFName(template, vrf, fault string) model.Finding {
	return with(model.Notice, invalidVRFName.in(model.Scope{Kind: model.ScopeTemplate, Name: template},
		"FRRConfiguration %s has a router in VRF %q, which can't be the name of a VRF because it %s: name a VRF that the nodes have, or remove the router", template, vrf, fault))
}

// PublishedVRFName is for the name in a network's status.
func PublishedVRFName(cudn, vrf, fault string) *model.Problem {
	return invalidVRFName.problem("ClusterUserDefinedNetwork %q has status.vrfName %q, which can't be the name of a VRF because it %s: "+
		"make sure that only OVN-Kubernetes writes the status", cudn, vrf, fault)
}

// DerivedVRFName is for the name that a network's VRF gets from the network.
func DerivedVRFName(cudn, vrf, fault string) *model.Problem {
	return invalidVRFName.problem("the VRF of ClusterUserDefinedNetwork %q would be called %q, which can't be the name of a VRF because it %s: "+
		"create the network again under another name", cudn, vrf, fault)
}

var nameTaken = enter("NameTaken", invalid, ofObject,
	"A RouteAdvertisements object has the name of the one that the operator makes for networks with routing Managed.",
	"Rename the object.")

// NameTaken is for an object that has the name of the operator's own.
func NameTaken(ra string) model.Finding {
	return nameTaken.about(ra, "RouteAdvertisements %q has the name that the operator needs for networks with routing Managed: rename it", ra)
}

var nodeSelectorNotEmpty = enter("NodeSelectorNotEmpty", invalid, ofObject,
	"The object advertises PodNetwork and has a nodeSelector. Every node owns a part of the pod network, so all nodes have to advertise theirs.",
	"Empty spec.nodeSelector, or advertise EgressIP in an object of its own.")

// NodeSelectorNotEmpty is for PodNetwork with a nodeSelector.
func NodeSelectorNotEmpty() *model.Problem {
	return nodeSelectorNotEmpty.problem("spec.nodeSelector must be empty when PodNetwork is advertised, because every node owns a part of the pod network: " +
		"empty it, or advertise EgressIP in a RouteAdvertisements object of its own")
}

var egressIPWithAutoVRF = enter("EgressIPWithAutoVRF", invalid, ofObject,
	"The object advertises EgressIP with targetVRF auto. Egress IPs belong to the default VRF and to no network's own.",
	"Name the target VRF, or advertise EgressIP in an object of its own with targetVRF default.")

// EgressIPWithAutoVRF is for EgressIP with targetVRF auto.
func EgressIPWithAutoVRF() *model.Problem {
	return egressIPWithAutoVRF.problem(`EgressIP can't be advertised with targetVRF "auto", because egress IPs belong to the default VRF: ` +
		`name the target VRF, or advertise EgressIP in a RouteAdvertisements object of its own with targetVRF "default"`)
}

var noNetworkSelected = enter("NoNetworkSelected", []model.Outcome{model.Pending, model.Notice}, ofObject,
	"The object's network selectors match no network. It is a notice if the object also selects the default network.",
	"Correct spec.networkSelectors or the networks' labels; the message says what nearly matched.")

// NoNetworkSelected is for an object whose selectors match no network; why says what
// nearly matched. others is set if it advertises the default network anyway.
func NoNetworkSelected(ra, why string, others bool) model.Finding {
	f := noNetworkSelected.about(ra, "%s", why)
	if others {
		return with(model.Notice, f)
	}
	return f
}

var noTemplateSelected = enter("NoTemplateSelected", pending, ofObject,
	"The object's frrConfigurationSelector matches no FRRConfiguration.",
	"Create the FRRConfiguration, or correct the selector or the labels; the message says what nearly matched.")

// NoTemplateSelected is for an object whose frrConfigurationSelector matches nothing.
func NoTemplateSelected(ra, why string) model.Finding { return noTemplateSelected.about(ra, "%s", why) }

var noNodeSelected = enter("NoNodeSelected", pending, ofObject,
	"The object's nodeSelector matches no node.",
	"Correct the selector or label the nodes; the message says what nearly matched.")

// NoNodeSelected is for an object whose nodeSelector matches nothing.
func NoNodeSelected(ra, why string) model.Finding { return noNodeSelected.about(ra, "%s", why) }

// NodesUnplanned is for an object that selects all nodes, before the first is planned.
func NodesUnplanned(ra string, nodes int) model.Finding {
	return noNodeSelected.about(ra, "none of %s has been planned yet", phrase.Count(nodes, "node"))
}

var noTemplateOnNodes = enter("NoTemplateOnNodes", pending, ofObject,
	"None of the FRRConfigurations that the object selects applies to any of its nodes.",
	"Change their spec.nodeSelector, or label the nodes.")

// NoTemplateOnNodes is for an object whose FRRConfigurations select none of its nodes.
func NoTemplateOnNodes(ra string, templates []string, nodes int) model.Finding {
	return noTemplateOnNodes.about(ra, "none of its FRRConfigurations (%s) selects any of its %s: change their spec.nodeSelector, or label the nodes",
		phrase.List(templates, maxNames), phrase.Count(nodes, "node"))
}

// NoTemplateOnReviewedNodes is NoTemplateOnNodes for a review, which looks at some of
// the nodes only.
func NoTemplateOnReviewedNodes(ra string) model.Finding {
	return noTemplateOnNodes.about(ra, "none of the FRRConfigurations that it selects applies to its nodes: change the nodeSelector of one, or add one")
}

var networkOnNoNode = enter("NetworkOnNoNode", notice, ofObject,
	"OVN-Kubernetes has set up nothing of the network on any of the object's nodes, so nothing of it is advertised yet.",
	"Wait for OVN-Kubernetes; look at its logs if nothing changes.")

// NetworkOnNoNode is for networks that no node has.
func NetworkOnNoNode(ra string, networks []string, nodes int) model.Finding {
	quoted := make([]string, 0, len(networks))
	for _, n := range networks {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	return networkOnNoNode.about(ra, "OVN-Kubernetes has set up no part of network %s on any of its %s: nothing of it is advertised until it does",
		phrase.List(quoted, maxNames), phrase.Count(nodes, "node"))
}

var controllerNeeded = enter("ControllerNeeded", notice, ofObject,
	"The operator runs with --take-over in a cluster where OVN-Kubernetes can't do without its own controller of RouteAdvertisements, because of a network that the message names. Both controllers may work on the object.",
	"Start the operator without --take-over.")

// ControllerNeeded is for an object that was taken from a controller that has to run.
func ControllerNeeded(ra string, network NeedsController) model.Finding {
	return controllerNeeded.about(ra, "OVN-Kubernetes' own controller can't be switched off in this cluster, because of %s: "+
		"if it runs, it works on this object beside the operator, so run the operator without --take-over", network)
}

var renderedByBoth = enter("RenderedByBoth", notice, ofObject,
	"OVN-Kubernetes' own controller renders the object, too, and can't be switched off, because of an EVPN network. It keeps the condition Accepted. What the operator leaves out or withdraws, it may still advertise.",
	"Nothing; or start the operator without --take-over, to leave such objects to that controller.")

// RenderedByBoth is for an object with an EVPN network that was taken from a controller
// which goes on.
func RenderedByBoth(ra string, network NeedsController) model.Finding {
	return renderedByBoth.about(ra, "OVN-Kubernetes' own controller renders it, too, because of %s: "+
		"that controller keeps the condition Accepted, and may still advertise what this plan leaves out", network)
}

// NeedsController is a network that OVN-Kubernetes does not run without its own
// controller, in the words of messages.
type NeedsController string

// EVPNNeedsController is for a network with transport EVPN.
func EVPNNeedsController(network string) NeedsController {
	return NeedsController(fmt.Sprintf("network %q with transport EVPN, with which OVN-Kubernetes' cluster manager does not start without its own controller", network))
}

// DefaultNeedsController is for a default network without overlay.
func DefaultNeedsController() NeedsController {
	return "the default network, without overlay, with which OVN-Kubernetes' cluster manager does not start without its own controller"
}

// NoOverlayNeedsController is for another network without overlay.
func NoOverlayNeedsController(network string) NeedsController {
	return NeedsController(fmt.Sprintf("network %q with transport NoOverlay, whose TransportAccepted OVN-Kubernetes' cluster manager turns False without its own controller", network))
}

var standingAside = enter("StandingAside", pending, ofObject,
	"OVN-Kubernetes' own controller works on the object, so the operator does not.",
	"Nothing, or switch that controller off, or take the object over as MIGRATION.md says.")

// StandingAside is for an object that another controller works on; leftFor is why
// --take-over does not change that, "" if it is not set.
func StandingAside(ra, evidence, leftFor string) model.Finding {
	return standingAside.about(ra, "OVN-Kubernetes' own controller works on it, and nothing is rendered: %s; %s", evidence,
		asideRemedy(leftFor, "switch that controller off, or plan with --take-over"))
}

// AsideText is StandingAside in a condition, whose object stands above it.
func AsideText(evidence, leftFor string) string {
	next := asideRemedy(leftFor, "to hand the object over, stop that controller, or start this one with --take-over")
	return fmt.Sprintf("nothing is rendered, because another controller works on this object: %s. %s", evidence, strings.ToUpper(next[:1])+next[1:])
}

func asideRemedy(leftFor, otherwise string) string {
	if leftFor == "" {
		return otherwise
	}
	return "it is not taken over, because " + leftFor + ": leave that controller on"
}
