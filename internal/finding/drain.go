package finding

import (
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with a DrainPolicy, or has no effect.

var ofDrainPolicy = []model.ScopeKind{model.ScopeDrainPolicy}

var invalidDrainPolicy = enter("InvalidDrainPolicy", invalid, ofDrainPolicy,
	"The spec of a DrainPolicy has a value that can't be used. No node drains by it.",
	"Correct the field that the message names. The API server refuses such an object if the CRD is current.")

// InvalidDrainPolicy is for a DrainPolicy, by the path of its field.
func InvalidDrainPolicy(field, fault string) *model.Problem {
	return invalidDrainPolicy.problem("%s can't be used: %s: correct it", field, fault)
}

var drainsNoNode = enter("DrainsNoNode", pending, ofDrainPolicy,
	"The nodeSelector of a DrainPolicy matches no node.",
	"Correct the selector or label the nodes; the message says what nearly matched.")

// DrainsNoNode is for a DrainPolicy whose nodeSelector matches nothing.
func DrainsNoNode(policy, why string) model.Finding { return drainsNoNode.about(policy, "%s", why) }

var olderDrainPolicy = enter("OlderDrainPolicy", []model.Outcome{model.Notice, model.Pending}, ofDrainPolicy,
	"Nodes that a DrainPolicy selects are also selected by an older one, which counts for them. It is Pending if that is so for all of them.",
	"Change spec.nodeSelector of one of the policies, or delete one.")

// OlderDrainPolicy is for a DrainPolicy some of whose nodes an older one has; of all that
// it selects, it has left.
func OlderDrainPolicy(policy, older string, nodes, left int) model.Finding {
	f := olderDrainPolicy.about(policy, "DrainPolicy %q is older, and counts for %s that this one selects, too: change spec.nodeSelector of one of the two",
		older, phrase.Count(nodes, "node"))
	if left == 0 {
		return with(model.Pending, f)
	}
	return f
}

var drainKeepsPreference = enter("DrainKeepsPreference", notice, ofNode,
	"A node drains, and an FRRConfiguration sets a local preference for one of its prefixes. frr-k8s would refuse the node's whole configuration for two, "+
		"so the prefix keeps that one, and gets the community graceful-shutdown alone.",
	"Remove the prefix from toAdvertise.withLocalPref of the FRRConfiguration, or match the community on the neighbor.")

// DrainKeepsPreference is for a draining node whose neighbor gets another local preference
// from an FRRConfiguration.
func DrainKeepsPreference(neighbor, template string) model.Finding {
	return drainKeepsPreference.onNode("the node drains, and neighbor %s gets a prefix with the local preference that FRRConfiguration %q sets instead of 0: "+
		"remove the prefix from toAdvertise.withLocalPref there", neighbor, template)
}

var drainKeepsTunnels = enter("DrainKeepsTunnels", notice, ofNode,
	"A node drains, and has networks with transport EVPN. frr-k8s has no attributes for EVPN routes, so these stay as they are.",
	"Nothing, if routers learn from EVPN itself when hosts move.")

// DrainKeepsTunnels is for a draining node with EVPN networks.
func DrainKeepsTunnels(networks []string) model.Finding {
	return drainKeepsTunnels.onNode("the node drains, and what it announces by EVPN stays as it is, because frr-k8s has no attributes for EVPN routes: that of %s",
		phrase.List(networks, maxNames))
}

var drainKeepsNetworks = enter("DrainKeepsNetworks", notice, ofNode,
	"A node drains, and its DrainPolicy has it withdraw in the end what other nodes advertise, too. No other node takes over some of its networks: "+
		"none is up, drains not and has a neighbor to advertise them to; or, with dynamic allocation, that is not known. The node goes on to advertise them, marked for graceful shutdown.",
	"Nothing, if that is meant. Else check that other nodes are Ready and selected, or set spec.do.withdraw of the DrainPolicy to Everything.")

// DrainKeepsNetworks is for a draining node whose networks no other node takes over.
func DrainKeepsNetworks(networks []string) model.Finding {
	return drainKeepsNetworks.onNode("the node drains, and goes on to advertise subnets that all nodes have, because no other node is known to take them over: those of %s",
		phrase.List(networks, maxNames))
}
