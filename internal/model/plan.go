package model

// Plan is what the cluster should look like.
type Plan struct {
	// Nodes is sorted by name.
	Nodes []NodePlan
	// Verdicts has one entry per RouteAdvertisements object, sorted by name.
	Verdicts []Verdict
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
}

// NodeConfig is what one namespace's frr-k8s should configure on a node.
type NodeConfig struct {
	Namespace string
	// Contributors are the RouteAdvertisements that are in it, sorted.
	Contributors []string
	// Routers is sorted by VRF.
	Routers     []Router
	BFDProfiles []BFDProfile
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
}

// Neighbor is one BGP neighbor of a Router.
type Neighbor struct {
	Session
	// Advertise is sorted, one for each prefix, a subset of the router's prefixes.
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
	// Advertised are the routes that reach at least one neighbor, sorted by VRF.
	Advertised []AdvertisedRoutes
	// Configured tells what the node's frr-k8s made of it. The planner leaves it
	// at ConfiguredUnknown: it comes from what the node reports afterwards.
	Configured Configured
	// ConfiguredMessage is what frr-k8s said, where it failed.
	ConfiguredMessage string
}

// AdvertisedRoutes are what a router of this VRF originates.
type AdvertisedRoutes struct {
	VRF string
	// Routes is sorted, one for each prefix.
	Routes []Route
}

// PartState is how far a RouteAdvertisements object got on a node.
type PartState int

// The states of a NodePart.
const (
	// PartNone: there is nothing to advertise on the node.
	PartNone PartState = iota
	// PartNoTemplate: no template applies to the node.
	PartNoTemplate
	// PartRendered: it is in the node's plan, though maybe not whole.
	PartRendered
	// PartBlocked: it has something to advertise that could not be planned.
	PartBlocked
	// PartKept: what it has to advertise isn't known, so that what was last
	// applied stays.
	PartKept
)

// Configured is how far a node's frr-k8s got with what was rendered for it.
type Configured int

// The states that a node reports.
const (
	// ConfiguredUnknown: the node reports no state.
	ConfiguredUnknown Configured = iota
	// ConfiguredWaiting: FRR doesn't originate all of the prefixes yet.
	ConfiguredWaiting
	// ConfiguredDone: FRR originates every prefix.
	ConfiguredDone
	// ConfiguredFailed: frr-k8s reports an error of conversion or reload.
	ConfiguredFailed
)

// Verdict is what became of one RouteAdvertisements object.
type Verdict struct {
	RA         string
	Generation int64
	// StandAside is set where another controller works on the object.
	StandAside string
	// LeftFor is why it does so with --take-over, too; "" without that.
	LeftFor string
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

// NodeFinding is a Finding shared by nodes.
type NodeFinding struct {
	Finding
	// Nodes is sorted and may be cut; Count is how many there are in all.
	Nodes []string
	Count int
}
