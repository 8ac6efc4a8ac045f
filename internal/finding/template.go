package finding

import (
	"cmp"
	"fmt"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// What is wrong with an FRRConfiguration, or with a neighbor in it.

// maxVRFs is how many VRFs a message names.
const maxVRFs = 10

var refusedByFRRK8s = enter("RefusedByFRRK8s", invalid, ofTemplate,
	"An FRRConfiguration has something that frr-k8s refuses. frr-k8s then refuses the whole configuration of every node that it selects.",
	"Correct what the message names.")

// RefusedByFRRK8s is for an FRRConfiguration that frr-k8s refuses by itself.
func RefusedByFRRK8s(template, fault string) *model.Problem {
	return refusedByFRRK8s.problem("FRRConfiguration %s: %s; frr-k8s refuses the whole configuration of the nodes that it selects for it", template, fault)
}

// IsRefusedByFRRK8s reports whether frr-k8s refuses the object that has the problem.
func IsRefusedByFRRK8s(p *model.Problem) bool { return p != nil && p.Reason == refusedByFRRK8s.Name }

var templateBeingChanged = enter("TemplateBeingChanged", notice, ofTemplate,
	"The command kubectl ra apply is changing an FRRConfiguration in place. Until it is done, FRR stays as it is on the nodes that the FRRConfiguration selects.",
	"Nothing; it takes seconds. If the finding stays, kubectl ra apply was killed: run it again with the same file.")

// TemplateBeingChanged is for an FRRConfiguration that kubectl ra apply changes.
func TemplateBeingChanged(template string) model.Finding {
	return templateBeingChanged.about(template, "FRRConfiguration %s is being changed by kubectl ra apply, and FRR stays as it is until that is done; "+
		"if it takes more than minutes, run kubectl ra apply again with the same file", template)
}

// IsTemplateBeingChanged reports whether the finding tells only whoever does not know it.
func IsTemplateBeingChanged(f model.Finding) bool { return templateBeingChanged.Is(f) }

var noMatchingVRF = enter("NoMatchingVRF", []model.Outcome{model.Invalid, model.Notice}, ofTemplate,
	"A selected FRRConfiguration has no router in the target VRF. It is a notice if others have one: what this one imports and receives goes on.",
	"Add a router, or change spec.targetVRF or frrConfigurationSelector.")

// Apart says how a selected FRRConfiguration that has nothing to advertise by stands
// beside others.
type Apart int

// The ways to stand apart.
const (
	// Alone: no other has anything to advertise by, either.
	Alone Apart = iota
	// BesideOthers: it may be there for what it imports or receives.
	BesideOthers
)

// nothingByIt is all that there is to say of an FRRConfiguration beside others.
const nothingByIt = "what it imports and receives goes on, and nothing is advertised by it"

func (a Apart) outcome() model.Outcome {
	if a == BesideOthers {
		return model.Notice
	}
	return model.Invalid
}

// NoMatchingVRF is for an FRRConfiguration without a router in the target VRF. vrfs
// are those of its routers, sorted. hint says what was probably meant, "" if nothing
// is near; then it is more than a notice.
func NoMatchingVRF(template, targetVRF string, vrfs []string, hint string, apart Apart) model.Finding {
	outcome := apart.outcome()
	switch {
	case hint != "":
		outcome = model.Invalid
	case apart == BesideOthers:
		hint = nothingByIt
	default:
		hint = "add one, or change spec.targetVRF or frrConfigurationSelector"
	}
	has := "no routers"
	if len(vrfs) > 0 {
		quoted := make([]string, 0, len(vrfs))
		for _, vrf := range vrfs {
			quoted = append(quoted, fmt.Sprintf("%q", named(vrf)))
		}
		has = "routers in VRF " + phrase.List(quoted, maxVRFs) + " only"
	}
	wanted := "the default VRF"
	switch targetVRF {
	case "":
	case model.TargetVRFAuto:
		wanted = "a selected network's VRF"
	default:
		wanted = fmt.Sprintf("VRF %q", targetVRF)
	}
	return with(outcome, noMatchingVRF.about(template, "FRRConfiguration %s has no router in %s (it has %s): %s", template, wanted, has, hint))
}

// DefaultVRFByName is the hint for a router that names the default VRF.
func DefaultVRFByName() string {
	return `frr-k8s calls the default VRF "": remove "vrf: default" from the router`
}

// MeantVRF is the hint for a target VRF with a typo.
func MeantVRF(vrf string) string { return fmt.Sprintf("did you mean targetVRF %q?", vrf) }

var noNeighbor = enter("NoNeighbor", []model.Outcome{model.Invalid, model.Notice}, ofTemplate,
	"A selected FRRConfiguration has a router in the target VRF, and no usable neighbor in it. It is a notice if others have one.",
	"Add a neighbor, or correct the one that another finding names.")

// NoNeighbor is for a router without a usable neighbor.
func NoNeighbor(template, vrf string, apart Apart) model.Finding {
	hint := "add one"
	if apart == BesideOthers {
		hint = nothingByIt
	}
	return with(apart.outcome(), noNeighbor.about(template, "FRRConfiguration %s has no usable neighbor in VRF %q to advertise to: %s", template, named(vrf), hint))
}

var routerIDShared = enter("RouterIDShared", notice, ofTemplate,
	"FRRConfigurations give several nodes the same router ID. BGP peers take such nodes for one speaker and refuse sessions or drop routes (RFC 6286).",
	"Remove the id, so that FRR takes an address of each node, or write one FRRConfiguration for each node.")

// RouterIDShared is for an ID that several nodes get. The first template has it.
func RouterIDShared(vrf, id string, nodes, templates []string) model.Finding {
	return routerIDShared.about(templates[0], "the router in VRF %q has the ID %s on several nodes (%s), from FRRConfiguration %s: "+
		"BGP peers take nodes of one ID for one speaker and refuse sessions or drop routes (RFC 6286); "+
		"remove the id, so that FRR takes an address of each node, or write one FRRConfiguration for each node",
		named(vrf), id, phrase.List(nodes, maxNames), phrase.List(templates, maxNames))
}

// Neighbor names a neighbor of an FRRConfiguration.
type Neighbor struct {
	Template string
	// ID is the neighbor's address or interface, "" if it has neither.
	ID string
}

func (n Neighbor) scope() model.Scope {
	return model.Scope{Kind: model.ScopeNeighbor, Name: n.Template + " " + n.id()}
}

func (n Neighbor) id() string { return cmp.Or(n.ID, "without address") }

// Is reports whether a finding concerns the neighbor.
func (n Neighbor) Is(f model.Finding) bool { return f.Scope == n.scope() }

func (r *Reason) neighbor(n Neighbor, format string, args ...any) model.Finding {
	return r.in(n.scope(), "FRRConfiguration %s: neighbor %s %s", n.Template, n.id(), fmt.Sprintf(format, args...))
}

var (
	neighborWithoutAddress = enter("NeighborWithoutAddress", invalid, ofNeighbor,
		"A neighbor has neither an address nor an interface. frr-k8s refuses the node's whole configuration for it.", "Set one of them.")
	neighborWithTwoAddresses = enter("NeighborWithTwoAddresses", invalid, ofNeighbor,
		"A neighbor has both an address and an interface. frr-k8s refuses the node's whole configuration for it.", "Remove one of them.")
	neighborASN = enter("NeighborASN", invalid, ofNeighbor,
		"A neighbor has neither asn nor dynamicASN, or both. frr-k8s refuses the node's whole configuration for it.", "Set exactly one of them.")
	neighborAddress = enter("NeighborAddress", invalid, ofNeighbor,
		"A neighbor has an address that is no IP address. frr-k8s refuses the node's whole configuration for it.", "Correct the address.")
	bfdProfileMissing = enter("BFDProfileMissing", invalid, ofNeighbor,
		"A neighbor names a BFD profile that its FRRConfiguration does not define. frr-k8s refuses the node's whole configuration for it.",
		"Add the profile to spec.bgp.bfdProfiles.")
	dualStackAddressFamily = enter("DualStackAddressFamily", invalid, ofNeighbor,
		"A neighbor has dualStackAddressFamily set. FRR may then announce a masquerade address as the next hop of the other family.",
		"Set it to false and add a neighbor of the other family.")
	neighborNotUnicast = enter("NeighborNotUnicast", notice, ofNeighbor,
		"A neighbor's addressFamilies lack unicast, so it gets no prefixes.",
		"Nothing, or add unicast.")
)

// NeighborWithoutAddress is for a neighbor that can't be reached.
func NeighborWithoutAddress(n Neighbor) model.Finding {
	return neighborWithoutAddress.neighbor(n, "has neither an address nor an interface: set one of them")
}

// NeighborWithTwoAddresses is for a neighbor with an address and an interface.
func NeighborWithTwoAddresses(n Neighbor) model.Finding {
	return neighborWithTwoAddresses.neighbor(n, "has both an address and an interface: remove one of them")
}

// NeighborASN is for a neighbor with no AS number, or with two.
func NeighborASN(n Neighbor) model.Finding {
	return neighborASN.neighbor(n, "needs either asn or dynamicASN: set exactly one of them")
}

// InvalidNeighborAddress is for an address that is none.
func InvalidNeighborAddress(n Neighbor) model.Finding {
	return neighborAddress.neighbor(n, "has an address that is no IP address: correct it")
}

// BFDProfileMissing is for a profile that its object does not define.
func BFDProfileMissing(n Neighbor, profile string) model.Finding {
	return bfdProfileMissing.neighbor(n, "names the BFD profile %q, which the object does not define: add it to spec.bgp.bfdProfiles", profile)
}

// DualStackAddressFamily is for a session that carries both IP families.
func DualStackAddressFamily(n Neighbor) model.Finding {
	return dualStackAddressFamily.neighbor(n, "has dualStackAddressFamily set, with which FRR may announce a masquerade address as the next hop of the other family: "+
		"set it to false and add a neighbor of the other family")
}

// NeighborNotUnicast is for a neighbor of other address families.
func NeighborNotUnicast(n Neighbor) model.Finding {
	return neighborNotUnicast.neighbor(n, `gets no prefixes, because its addressFamilies lack "unicast"`)
}

// IsNeighborNotUnicast reports whether the finding is about a neighbor that gets no
// prefixes, which carries EVPN all the same.
func IsNeighborNotUnicast(f model.Finding) bool { return neighborNotUnicast.Is(f) }

// NeighborRefused reports whether the finding's cause makes frr-k8s refuse a neighbor,
// and with it all of the node.
func NeighborRefused(f model.Finding) bool {
	switch f.Reason {
	case neighborWithoutAddress.Name, neighborWithTwoAddresses.Name, neighborASN.Name, neighborAddress.Name, bfdProfileMissing.Name:
		return true
	default:
		return false
	}
}

var nextHopConflict = enter("NextHopConflict", invalid, ofNeighbor,
	"A neighbor of a DPU host has a next hop of its own in toAdvertise.nextHop. On a DPU host the next hop has to be the gateway's.",
	"Remove toAdvertise.nextHop.")

// NextHopConflict is for a next hop that can't be the neighbor's on a DPU host.
func NextHopConflict(neighbor, hop string) model.Finding {
	return nextHopConflict.about(neighbor, "neighbor %s has toAdvertise.nextHop %s in its FRRConfiguration, but on a DPU host its next hop has to be the gateway's: "+
		"remove toAdvertise.nextHop", neighbor, hop)
}

var allowAsInNone = enter("AllowAsInNone", notice, ofNeighbor,
	"A neighbor has allowAsIn none, and a network has no overlay or has transport EVPN. FRR then drops over eBGP what other nodes announce with the AS number that all nodes have: "+
		"their pods' subnets, or their tunnel endpoints and EVPN routes.",
	"Remove allowAsIn, or set it to origin. With transport EVPN nothing if the nodes' pods need not reach each other.")

// AllowAsInNone is for a neighbor by which nodes can't learn each other's routes.
func AllowAsInNone(neighbor string) model.Finding {
	return allowAsInNone.about(neighbor, "neighbor %s has allowAsIn \"none\", with which FRR drops over eBGP what other nodes announce, and a network without overlay needs that: "+
		"remove allowAsIn, or set it to \"origin\"", neighbor)
}

// AllowAsInNoneWithEVPN is the same for a neighbor that carries EVPN.
func AllowAsInNoneWithEVPN(neighbor string) model.Finding {
	return allowAsInNone.about(neighbor, "neighbor %s has allowAsIn \"none\", with which FRR drops over eBGP the tunnel endpoints and EVPN routes of other nodes: "+
		"for pods of EVPN networks to reach each other across nodes, remove allowAsIn, or set it to \"origin\"", neighbor)
}

var noNeighborForFamily = enter("NoNeighborForFamily", invalid, ofNode,
	"The node has prefixes to advertise, and no neighbor of their IP family.",
	"Add a neighbor of that family. With routing Managed, give the nodes addresses of it.")

// NoNeighborForFamily is for a node whose neighbors take none of its prefixes.
func NoNeighborForFamily(families string) model.Finding {
	return noNeighborForFamily.onNode("no neighbor of its FRRConfigurations takes its prefixes (%s): add a neighbor of that IP family", families)
}

// NoNodeForFamily is for managed routing, by which nodes peer with each other.
func NoNodeForFamily(families string) model.Finding {
	return noNeighborForFamily.onNode("no other node has an address of the IP family of its prefixes (%s), over which networks with routing Managed peer: "+
		"give the nodes such addresses, or the networks subnets of the nodes' family", families)
}

var familyWithoutNeighbor = enter("FamilyWithoutNeighbor", notice, ofNode,
	"The node's prefixes of one IP family reach no neighbor; those of the other do.",
	"Nothing if that is how you want it. Otherwise add a neighbor of that family, or an unnumbered one.")

// FamilyWithoutNeighbor is for an IP family that has prefixes and no neighbor.
func FamilyWithoutNeighbor(family string) model.Finding {
	return familyWithoutNeighbor.onNode("its %s prefixes reach no neighbor: add a neighbor with an %s address, or an unnumbered one, if they should", family, family)
}
