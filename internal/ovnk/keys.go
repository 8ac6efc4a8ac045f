package ovnk

// Annotations that OVN-Kubernetes writes on Nodes.
const (
	AnnotationNodeSubnets    = "k8s.ovn.org/node-subnets"
	AnnotationPrimaryAddress = "k8s.ovn.org/node-primary-ifaddr"
	AnnotationHostCIDRs      = "k8s.ovn.org/host-cidrs"
	AnnotationGatewayConfig  = "k8s.ovn.org/l3-gateway-config"
	AnnotationChassisID      = "k8s.ovn.org/node-chassis-id"
	AnnotationNetworkIDs     = "k8s.ovn.org/network-ids"
	AnnotationVTEPs          = "k8s.ovn.org/vteps"
	// AnnotationLayer2TunnelIDs has an entry per Layer2 network whose gateway
	// router is set up on the node; see AnnotationLayer2Version.
	AnnotationLayer2TunnelIDs = "k8s.ovn.org/udn-layer2-node-gateway-router-lrp-tunnel-ids"
	// AnnotationLayer2Version is "2.0" where Layer2 networks have a transit
	// router. OVN-Kubernetes no longer writes AnnotationLayer2TunnelIDs there,
	// and leaves the old entries in it.
	AnnotationLayer2Version = "k8s.ovn.org/layer2-topology-version"
)

// Annotations and labels of NetworkAttachmentDefinitions.
const (
	AnnotationNetworkName = "k8s.ovn.org/network-name"
	AnnotationNetworkID   = "k8s.ovn.org/network-id"
	// AnnotationRouteAdvertisements is also on OVN-Kubernetes' own generated
	// FRRConfigurations, there with one name instead of a list.
	AnnotationRouteAdvertisements = "k8s.ovn.org/route-advertisements"
	LabelUserDefinedNetwork       = "k8s.ovn.org/user-defined-network"
)

// The default network's NetworkAttachmentDefinition.
const (
	DefaultNADNamespace = "ovn-kubernetes"
	DefaultNADName      = "default"
)

// Labels of nodes and namespaces.
const (
	LabelDPUHost = "k8s.ovn.org/dpu-host"
)

// The marks of OVN-Kubernetes' own RouteAdvertisements controller. Its
// FRRConfigurations have the label as well as the annotation, with the
// RouteAdvertisements object's name as the value.
const (
	GeneratedPrefix          = "ovnk-generated-"
	LabelRouteAdvertisements = AnnotationRouteAdvertisements
	FieldManager             = "clustermanager-routeadvertisements-controller"
)

// OVN-Kubernetes' own RouteAdvertisements of managed routing, for the default
// network and for all ClusterUserDefinedNetworks without overlay.
const (
	ManagedDefaultName = "ovnk-managed-bgp-default"
	ManagedCUDNName    = "ovnk-managed-bgp-cudn"
)

// Group is the API group of all of OVN-Kubernetes' own kinds.
const Group = "k8s.ovn.org"

// CUDNKind is the kind that owns the NetworkAttachmentDefinitions of a
// ClusterUserDefinedNetwork.
const CUDNKind = "ClusterUserDefinedNetwork"

// UplinkState is read without Go types: it is v1alpha1 and has moved its
// fields once.
const (
	UplinkStateVersion = "v1alpha1"
	UplinkStateKind    = "UplinkState"
	// CUDNNodesSelected is the condition of a network with dynamic allocation, once
	// it was on any node, and CUDNDynamicAllocation its reason.
	CUDNNodesSelected     = "NodesSelected"
	CUDNDynamicAllocation = "DynamicAllocation"
	// UplinkStateResolved is the condition that says that the rest of the
	// status can be relied upon.
	UplinkStateResolved = "Resolved"
)

// Modes in l3-gateway-config. In shared mode egress leaves by the gateway
// router, in local mode by the node's kernel.
const (
	GatewayModeShared = "shared"
	GatewayModeLocal  = "local"
)

// Keys and values of external_ids in the OVN Northbound database. The default
// network's objects have none of the first three.
const (
	ExternalIDNetwork  = "k8s.ovn.org/network"
	ExternalIDRole     = "k8s.ovn.org/role"
	ExternalIDTopology = "k8s.ovn.org/topology"
	// ExternalIDOwner with OwnerRouteImport is on routes that OVN-Kubernetes'
	// own route import wrote.
	ExternalIDOwner  = "k8s.ovn.org/owner-controller"
	OwnerRouteImport = "RouteImport"
)
