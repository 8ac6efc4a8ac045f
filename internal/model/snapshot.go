package model

import (
	"net/netip"
	"time"
)

// Snapshot is all that the planner may know.
type Snapshot struct {
	Cluster
	// Nodes is sorted by name.
	Nodes []Node
}

// Cluster is the part of a Snapshot that concerns every node. All lists may
// come in any order: the planner sorts what it uses.
type Cluster struct {
	RouteAdvertisements []RouteAdvertisement
	Policies            []RoutePolicy
	Drains              []DrainPolicy
	Networks            []Network
	Templates           []Template
	Namespaces          []Namespace
	EgressIPs           []EgressIP
	VTEPs               []VTEP
	// Hosts is the light view of every node that decisions across nodes need.
	Hosts []NodeSummary
	// Disputes are, by node, the subnets that it claims and can't have, because
	// other nodes claim them, too.
	Disputes map[string][]Dispute
	// DynamicAllocation is set where OVN-Kubernetes sets networks up only on nodes
	// that pods of theirs run on.
	DynamicAllocation bool
	// DefaultSubnets are, by node, the parts of the default network that it claims:
	// they show which nodes another one's address concerns. nil if not known.
	DefaultSubnets map[string][]netip.Prefix
	// APIServer are the API server's addresses, sorted.
	APIServer []netip.Addr
	Settings  Settings
}

// Settings are the operator's own flags, as far as they change the plan.
type Settings struct {
	// ManageVTEPs gives nodes the addresses of VTEPs that ask for it.
	ManageVTEPs bool
	// FRRRaw allows raw text for what frr-k8s' API has no fields for.
	FRRRaw bool
	// TakeOver plans RouteAdvertisements that OVN-Kubernetes' own controller
	// works on too; otherwise the operator stands aside for it.
	TakeOver bool
	// Managed is used for networks whose routing the operator manages.
	Managed ManagedRouting
	// DefaultNoOverlay are the default network's subnets where it has no overlay;
	// empty where it has one.
	DefaultNoOverlay []NetworkSubnet
	// ClusterSubnets are the default network's, as far as they are known: no
	// node has a part outside of them.
	ClusterSubnets []NetworkSubnet
	// ServiceSubnets are those of Services, which no network may cover: those from
	// the operator's flags, and in a Cluster the cluster's own, too.
	ServiceSubnets []netip.Prefix
}

// ManagedRouting says how nodes peer with each other for NoOverlay networks
// with routing Managed.
type ManagedRouting struct {
	ASN       uint32
	Namespace string
}

// Problem is why an input can't be used, found while it was read: a Finding that is
// not yet in the scope of that input.
type Problem struct {
	Outcome Outcome
	Reason  string
	Message string
}

// In is the finding that the problem is in a scope.
func (p *Problem) In(scope Scope) Finding {
	return Finding{Outcome: p.Outcome, Scope: scope, Reason: p.Reason, Message: p.Message}
}

// Advertisement is what a RouteAdvertisements object advertises.
type Advertisement string

// The kinds of advertisements that the API knows.
const (
	AdvertisePodNetwork Advertisement = "PodNetwork"
	AdvertiseEgressIP   Advertisement = "EgressIP"
)

// TargetVRFAuto asks for each network's own VRF.
const TargetVRFAuto = "auto"

// RouteAdvertisement is one RouteAdvertisements object.
type RouteAdvertisement struct {
	Name       string
	Created    time.Time
	Generation int64
	// TargetVRF is "" for the default VRF (the API's "" and "default"),
	// TargetVRFAuto, or a VRF's name.
	TargetVRF      string
	Advertisements []Advertisement
	NodeSelector   Selector
	// TemplateSelector selects Templates by label.
	TemplateSelector Selector
	// SelectsDefaultNetwork is set by a DefaultNetwork selector.
	SelectsDefaultNetwork bool
	// NetworkSelectors select ClusterUserDefinedNetworks by label; a network
	// is selected if any of them matches.
	NetworkSelectors []Selector
	// ForeignController is the evidence that another controller works on this
	// object, "" where there is none.
	ForeignController string
	// AcceptedElsewhere is set where that controller has accepted the object, so
	// that what it selects is advertised without the operator's doing.
	AcceptedElsewhere bool
	// Managed marks the object that the operator makes for itself; NameTaken is set
	// if another object has its name, so that it can't be stored.
	Managed, NameTaken bool
	Problem            *Problem
}

// Topology of a network.
type Topology string

// The topologies that OVN-Kubernetes knows.
const (
	TopologyLayer2   Topology = "Layer2"
	TopologyLayer3   Topology = "Layer3"
	TopologyLocalnet Topology = "Localnet"
)

// Transport is how a network's packets travel between nodes.
type Transport string

// The transports that OVN-Kubernetes knows; TransportOverlay is Geneve, the
// default.
const (
	TransportOverlay   Transport = ""
	TransportNoOverlay Transport = "NoOverlay"
	TransportEVPN      Transport = "EVPN"
)

// DefaultNetwork is the name of the default pod network, and DefaultVRF how
// frr-k8s' imports call the VRF that routers call "".
const (
	DefaultNetwork = "default"
	DefaultVRF     = "default"
)

// Network is the default pod network or a ClusterUserDefinedNetwork.
type Network struct {
	// Name is OVN's: "default" or "cluster_udn_<cudn>".
	Name string
	// CUDN is the ClusterUserDefinedNetwork's name, "" for the default network.
	CUDN    string
	Created time.Time
	// ID is the cluster's number of the network, 0 where it is not known.
	ID int
	// Labels include the implicit kubernetes.io/metadata.name.
	Labels    map[string]string
	Primary   bool
	Topology  Topology
	Transport Transport
	// EVPN is set for networks with TransportEVPN whose block can be read.
	EVPN *NetworkEVPN
	// Subnets are the whole network's; empty for the default network with an
	// overlay, whose subnets are only in the nodes' annotations.
	Subnets []NetworkSubnet
	// SubnetsNotice is set where Subnets would be needed and are not known.
	SubnetsNotice *Problem
	// VRF is the kernel VRF device, "" for the default network.
	VRF string
	// VRFProblem is set where the VRF's name is not known.
	VRFProblem *Problem
	// JoinSubnets are those that the network has of its own.
	JoinSubnets []netip.Prefix
	// ManagedRouting is set for NoOverlay networks with routing Managed.
	ManagedRouting bool
	// Uplink is the name of the network's Uplink, "" without one.
	Uplink            string
	NamespaceSelector Selector
	Problem           *Problem
}

// IsDefault reports whether this is the default pod network.
func (n *Network) IsDefault() bool { return n.CUDN == "" }

// DisplayName is how people call the network: its CUDN's name, or "default".
func (n *Network) DisplayName() string {
	if n.IsDefault() {
		return DefaultNetwork
	}
	return n.CUDN
}

// NetworkSubnet is one subnet of a network. HostLength is the prefix length
// of the parts that nodes get, 0 in Layer2 networks.
type NetworkSubnet struct {
	Prefix     netip.Prefix
	HostLength int
}

// Namespace is a namespace, for finding the network that serves it.
type Namespace struct {
	Name   string
	Labels map[string]string
}

// EgressIP is an EgressIP object with its assignments.
type EgressIP struct {
	Name              string
	NamespaceSelector Selector
	Assignments       []EgressAssignment
	// ItemProblems are those of single assignments; the others go on.
	ItemProblems []Problem
	Problem      *Problem
}

// Dispute is a subnet of a network, or a tunnel endpoint, that a node claims and that it
// shares with others, which claim it or one that it overlaps.
type Dispute struct {
	// Network is "" for a tunnel endpoint.
	Network string
	Subnet  netip.Prefix
	// Others are the other nodes, sorted.
	Others []string
}

// EgressAssignment is an egress IP that sits on a node.
type EgressAssignment struct {
	Node    string
	Address netip.Addr
}

// NodeSummary is the light view of a node.
type NodeSummary struct {
	Name string
	// Hostname is the value of the label kubernetes.io/hostname, which
	// generated objects select the node by; "" where the label is missing.
	Hostname string
	Labels   map[string]string
	// Addresses are the node's primary addresses, at most one per family.
	Addresses   []netip.Addr
	Maintenance Maintenance
}

// AgentReport is what a node's agent says of the node.
type AgentReport struct {
	Layer2 Layer2Report
	EVPN   EVPNReport
}

// EVPNReport is whether the devices of a node's EVPN networks are there.
type EVPNReport struct {
	// Known is false where no agent says so, or has looked.
	Known bool
	// Reason is the NodeRouteState's where something is missing, "" where all is there.
	Reason string
}

// Layer2Report is what a node's agent found of Layer2 networks in the node's OVN.
type Layer2Report struct {
	// Known is false where no agent says anything, or said it too long ago.
	Known bool
	// Absent holds the networks that OVN-Kubernetes has not set up there.
	Absent map[string]bool
}

// Node is a node with all that its own configuration depends on.
type Node struct {
	NodeSummary
	// Subnets are the node's parts of each Layer3 network and of the default
	// network, by network name.
	Subnets map[string][]netip.Prefix
	// SubnetsProblem is set where the annotation is missing or malformed.
	SubnetsProblem *Problem
	// DefaultSubnetProblem is set where the annotation lacks the default network,
	// which every node is on.
	DefaultSubnetProblem *Problem
	// Layer2Active holds the Layer2 networks that are set up on the node; nil if the
	// node doesn't say, which counts as all.
	Layer2Active map[string]bool
	// Layer2 is what the node's agent says of the same, and EVPN what it says of devices.
	Layer2 Layer2Report
	EVPN   EVPNReport
	// Raw says whether its plan may have raw text.
	Raw RawState
	// DPUHost is set on nodes whose gateway router sits on a DPU and has
	// addresses of its own: NextHops, or NextHopsProblem where not known.
	DPUHost         bool
	NextHops        []netip.Addr
	NextHopsProblem *Problem
	// UplinkNextHops and UplinkProblems are the same by uplink name.
	UplinkNextHops map[string][]netip.Addr
	UplinkProblems map[string]*Problem
	// VTEPs are the node's tunnel endpoints by VTEP; nil where the node tells none.
	VTEPs map[string][]netip.Addr
	// Allocated are the addresses that the operator gave it, by VTEP.
	Allocated map[string][]netip.Addr
	// VTEPsProblem is set where the annotation is malformed. It concerns EVPN alone:
	// the node's other networks go on.
	VTEPsProblem *Problem
	// Problem is set for other malformed annotations of the node.
	Problem *Problem
}
