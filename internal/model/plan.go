package model

import "fmt"

// Plan is what the cluster should look like.
type Plan struct {
	// Nodes is sorted by name.
	Nodes []NodePlan
	// Verdicts has one entry per RouteAdvertisements object, sorted by name.
	Verdicts []Verdict
	// Policies has one entry per RoutePolicy, sorted by name.
	Policies []PolicyVerdict
	// Drains has one entry per DrainPolicy, sorted by name.
	Drains []DrainVerdict
}

// NodePlan is what one node should get.
type NodePlan struct {
	Node     string
	Hostname string
	// Keep is set where the node's state is not known: what was last applied
	// stays, and Configs is empty.
	Keep bool
	// Configs has one entry per namespace of templates, sorted.
	Configs []NodeConfig
	// Parts tell how far each RouteAdvertisements object that selects the
	// node got there, in the order of precedence.
	Parts []NodePart
	// Networks are what the node has to do for each network, sorted by name. The
	// planner leaves them out until it is asked for them: see Compiled.Networks.
	Networks []NodeNetwork
	// VTEPs are those that the node's EVPN networks use, and those of which the operator
	// gave it addresses, sorted by name. They come with Networks.
	VTEPs []NodeVTEP
}

// NodeConfig is what one namespace's frr-k8s should configure on a node.
type NodeConfig struct {
	Namespace string
	// Contributors are the RouteAdvertisements that are in it, sorted.
	Contributors []string
	// Routers is sorted by VRF.
	Routers     []Router
	BFDProfiles []BFDProfile
	// QuickRouteMaps has FRR apply changed route-maps after a second.
	QuickRouteMaps bool
}

// Router is one BGP router on a node.
type Router struct {
	ASN uint32
	ID  string
	// VRF is "" for the default VRF.
	VRF string
	// Routes are what it originates, sorted, one for each prefix. Attributes are the
	// business of its neighbors.
	Routes []Route
	// Imports are VRF names, the default one as DefaultVRF; sorted.
	Imports   []string
	Neighbors []Neighbor
	// EVPN is nil without.
	EVPN *RouterEVPN
	// Extra are settings that frr-k8s has no fields for.
	Extra RouterExtra
}

// Neighbor is one BGP neighbor of a Router.
type Neighbor struct {
	Session
	// Advertise is sorted, one for each prefix, a subset of the router's prefixes. Routes
	// whose attributes need raw text are among them.
	Advertise []Route
	Receive   []PrefixMatch
}

// NodePart is one RouteAdvertisements object's part of a node's plan.
type NodePart struct {
	RA string
	// State tells how far it got.
	State PartState
	// Findings are those of this object on this node.
	Findings []Finding
	// Inactive are the networks that are selected and not set up on the node.
	Inactive []string
	// Advertised are the routes that are planned to reach at least one neighbor,
	// sorted by VRF. They are here whatever became of them: see PartState.Stands.
	Advertised []AdvertisedRoutes
	// PodNetworks are the networks with routes to pods among Advertised, sorted by name.
	// They are the plan's, too, whatever became of it. Nodes share the list.
	PodNetworks []string
	// Tunnels are the EVPN networks that it puts into the node's plan, sorted by name, and
	// VTEPs what the node has of those that its EVPN networks use. Whatever became of it.
	Tunnels []Tunnel
	VTEPs   []NodeVTEP
	// Marked are the routes that neighbors get marked for graceful shutdown.
	Marked []MarkedRoutes
	// Raw are the routes that neighbors get by raw text.
	Raw []RawRoutes
	// Policies are those with rules for the object on the node, in order of precedence.
	Policies []PolicyPart
	// Failure is what the node's frr-k8s reports, in state PartFailed.
	Failure Finding
}

// MarkedRoutes are routes that a neighbor in a VRF gets with the community
// GracefulShutdown.
type MarkedRoutes struct {
	VRF, Neighbor string
	Routes        []Route
}

// RawRoutes are routes that a neighbor in a VRF gets with attributes that frr-k8s has no
// fields for.
type RawRoutes struct {
	VRF, Neighbor string
	// ASN is the AS number that the neighbor knows the router by.
	ASN    uint32
	Routes []Route
}

// AdvertisedRoutes are what a router of this VRF originates.
type AdvertisedRoutes struct {
	VRF string
	// Routes is sorted, one for each prefix.
	Routes []Route
	// VNI is that of the IP-VRF by which EVPN carries them, 0 of other VRFs.
	VNI uint32
}

// PartState is how far a RouteAdvertisements object got on a node. Package outcome
// has the arrows between the states.
type PartState int

// The states of a NodePart.
const (
	// PartUndecided: nothing is known yet.
	PartUndecided PartState = iota
	// PartIdle: there is nothing to advertise on the node.
	PartIdle
	// PartNoTemplate: no template applies to the node.
	PartNoTemplate
	// PartHeldBack: it has something to advertise that could not be planned.
	PartHeldBack
	// PartKept: what was last applied stays, because what should be there isn't
	// known, or isn't taken.
	PartKept
	// PartPlanned: it is in the node's plan, though maybe not all of it.
	PartPlanned
	// PartRefused: what was planned could not be written.
	PartRefused
	// PartWritten: it is in the API; the node reports nothing about it.
	PartWritten
	// PartWaiting: FRR doesn't originate all of the prefixes yet.
	PartWaiting
	// PartConfigured: FRR originates every prefix.
	PartConfigured
	// PartFailed: frr-k8s reports an error of conversion or reload.
	PartFailed
)

var partStates = [...]string{"Undecided", "Idle", "NoTemplate", "HeldBack", "Kept", "Planned", "Refused", "Written", "Waiting", "Configured", "Failed"}

// String returns the state's name.
func (s PartState) String() string {
	if s < 0 || int(s) >= len(partStates) {
		return fmt.Sprintf("PartState(%d)", int(s))
	}
	return partStates[s]
}

// Rendered reports whether the part is in what is rendered for the node.
func (s PartState) Rendered() bool {
	switch s {
	case PartPlanned, PartWritten, PartWaiting, PartConfigured, PartFailed:
		return true
	default:
		return false
	}
}

// Stands reports whether neighbors are, or are about to be, told of what the part
// advertises: it is rendered, or an object with it stays.
func (s PartState) Stands() bool { return s.Rendered() || s == PartKept }

// Verdict is what became of one RouteAdvertisements object.
type Verdict struct {
	RA         string
	Generation int64
	// StandAside is set where another controller works on the object.
	StandAside string
	// LeftFor is why it does so with --take-over, too; "" without that.
	LeftFor string
	// Beside is set where the other controller renders the object as well, and can't be
	// switched off: it keeps Accepted, and the annotation of the networks.
	Beside bool
	// ObserveOnly is set where what is planned is told and not written.
	ObserveOnly bool
	// Networks that it advertises, by name, sorted.
	Networks []string
	// Findings that concern the object as a whole; those of nodes are in Tally.
	Findings []Finding
	Tally    Tally
	// Behind counts the nodes that are still to be planned, so that Tally is
	// not the whole truth yet.
	Behind int
}

// Tally counts the nodes of one RouteAdvertisements object.
type Tally struct {
	// Selected nodes; of these Rendered, Blocked, NoTemplate and Idle
	// (nothing to advertise there) in all.
	Selected, Rendered, Blocked, NoTemplate, Idle int
	// Kept are the blocked nodes on which what was last applied stays.
	Kept int
	// Inactive counts pairs of node and network that are not set up, and Nowhere has
	// the networks, sorted, that are set up on none of the selected nodes.
	Inactive int
	Nowhere  []string
	// NodeFindings are grouped: one per reason and message, with its nodes.
	NodeFindings []NodeFinding
	// Configured and ConfiguredUnknown are parts of Rendered; FRRFindings
	// are grouped as NodeFindings are.
	Configured, ConfiguredUnknown int
	FRRFindings                   []NodeFinding
}

// Advertising is how many nodes are planned to tell a neighbor, for one
// RouteAdvertisements object, the way to the pods of a network.
type Advertising struct {
	Nodes int
	// Unknown counts the nodes where what was applied stays, whatever that is, so that
	// they may do so, too.
	Unknown int
}

// NodeFinding is a Finding shared by nodes.
type NodeFinding struct {
	Finding
	// Nodes is sorted and may be cut; Count is how many there are in all.
	Nodes []string
	Count int
}
