package snapshot

import (
	"context"
	"fmt"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Objects are the API objects that a Snapshot is made of, in any order.
type Objects struct {
	RouteAdvertisements []ovnv1.RouteAdvertisements
	Policies            []v1alpha1.RoutePolicy
	Drains              []v1alpha1.DrainPolicy
	CUDNs               []ovnv1.ClusterUserDefinedNetwork
	FRRConfigurations   []frrk8sv1beta1.FRRConfiguration
	NADs                []nadv1.NetworkAttachmentDefinition
	Namespaces          []corev1.Namespace
	EgressIPs           []ovnv1.EgressIP
	VTEPs               []ovnv1.VTEP
	Nodes               []corev1.Node
	UplinkStates        []unstructured.Unstructured
	// ServiceCIDRs are the subnets of Services. API servers before 1.33 don't serve
	// the kind.
	ServiceCIDRs []networkingv1.ServiceCIDR
	// EndpointSlices are of use if the API server's own is among them.
	EndpointSlices []discoveryv1.EndpointSlice
	// RouteStates say which Layer2 networks are absent from a node.
	RouteStates []v1alpha1.NodeRouteState
	// Read is when the objects were read, zero for files that don't say: what
	// agents said long before does not count.
	Read time.Time
	// Secrets are for neighbors' passwords. Files may have some; Gather reads none,
	// because what they hold is not the operator's to know.
	Secrets []corev1.Secret
	// NodeStates say what frr-k8s made of its configuration. They are not part of
	// the Snapshot, because they follow from the plan.
	NodeStates []frrk8sv1beta1.FRRNodeState
	// NodeNetworks have the addresses that the operator gave to nodes. Their specs are
	// not read: they follow from the plan.
	NodeNetworks []metav1.PartialObjectMetadata
	// Disputes are those among Nodes, for Cluster. Snapshot finds them itself; for
	// whoever makes one Cluster after the other, Claims has them at less cost.
	Disputes map[string][]model.Dispute
}

// UplinkStateKind is the kind of Objects.UplinkStates.
var UplinkStateKind = schema.GroupVersionKind{Group: ovnk.Group, Version: ovnk.UplinkStateVersion, Kind: ovnk.UplinkStateKind}

// ServiceCIDRKind is the kind of Objects.ServiceCIDRs.
var ServiceCIDRKind = networkingv1.SchemeGroupVersion.WithKind("ServiceCIDR")

// AddToScheme makes a scheme know all kinds that Gather reads, but for
// UplinkState, which needs no Go type.
func AddToScheme(scheme *runtime.Scheme) error {
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, ovnv1.AddToScheme, frrk8sv1beta1.AddToScheme, nadv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	return nil
}

// Options say which lists a caller of Gather can do without.
type Options struct {
	// WithoutNodeStates leaves out FRRNodeStates, which are large: each holds
	// the running configuration of a node.
	WithoutNodeStates bool
	// WithoutRouteStates leaves out NodeRouteStates, for callers that look at the
	// one of a node themselves.
	WithoutRouteStates bool
	// WithoutAPIServer leaves out where the API server is, which only nodes' agents
	// need to know.
	WithoutAPIServer bool
	// WithAllocations reads NodeNetworks, for callers that don't look at the one of a
	// node themselves, where the operator gives nodes addresses.
	WithAllocations bool
	// Now is the clock; that of the machine if nil.
	Now func() time.Time
}

// Gather reads all objects. A kind whose CRD the cluster may lack is empty
// where it does; any other failed read is an error, because an empty list
// would look like the wish to withdraw everything. What a cache returns is
// not copied.
func Gather(ctx context.Context, reader client.Reader, options Options) (*Objects, error) {
	var (
		ras        ovnv1.RouteAdvertisementsList
		policies   v1alpha1.RoutePolicyList
		drains     v1alpha1.DrainPolicyList
		cudns      ovnv1.ClusterUserDefinedNetworkList
		configs    frrk8sv1beta1.FRRConfigurationList
		nads       nadv1.NetworkAttachmentDefinitionList
		namespaces corev1.NamespaceList
		egressIPs  ovnv1.EgressIPList
		vteps      ovnv1.VTEPList
		nodes      corev1.NodeList
		uplinks    unstructured.UnstructuredList
		states     frrk8sv1beta1.FRRNodeStateList
		routes     v1alpha1.NodeRouteStateList
		services   networkingv1.ServiceCIDRList
		endpoints  discoveryv1.EndpointSliceList
		networks   metav1.PartialObjectMetadataList
	)
	now := time.Now
	if options.Now != nil {
		now = options.Now
	}
	read := now()
	uplinks.SetGroupVersionKind(UplinkStateKind.GroupVersion().WithKind(UplinkStateKind.Kind + "List"))
	networks.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeNetworksList"))
	for _, kind := range []struct {
		name     string
		list     client.ObjectList
		optional bool
		skip     bool
		// namespace is "" for all.
		namespace string
	}{
		{name: "RouteAdvertisements", list: &ras},
		{name: "RoutePolicies", list: &policies, optional: true},
		{name: "DrainPolicies", list: &drains, optional: true},
		{name: "ClusterUserDefinedNetworks", list: &cudns},
		{name: "FRRConfigurations", list: &configs},
		{name: "NetworkAttachmentDefinitions", list: &nads, optional: true},
		{name: "Namespaces", list: &namespaces},
		{name: "EgressIPs", list: &egressIPs},
		{name: "VTEPs", list: &vteps, optional: true},
		{name: "Nodes", list: &nodes},
		{name: "UplinkStates", list: &uplinks, optional: true},
		{name: "FRRNodeStates", list: &states, optional: true, skip: options.WithoutNodeStates},
		{name: "NodeRouteStates", list: &routes, optional: true, skip: options.WithoutRouteStates},
		{name: "NodeNetworks", list: &networks, optional: true, skip: !options.WithAllocations},
		{name: "ServiceCIDRs", list: &services, optional: true},
		{name: "EndpointSlices", list: &endpoints, namespace: APIServerEndpoints.Namespace, skip: options.WithoutAPIServer},
	} {
		if kind.skip {
			continue
		}
		err := reader.List(ctx, kind.list, client.UnsafeDisableDeepCopy, client.InNamespace(kind.namespace))
		if err != nil && !(kind.optional && absent(err)) {
			return nil, fmt.Errorf("listing %s: %w", kind.name, err)
		}
	}
	return &Objects{
		RouteAdvertisements: ras.Items, Policies: policies.Items, Drains: drains.Items, CUDNs: cudns.Items, FRRConfigurations: configs.Items, NADs: nads.Items,
		Namespaces: namespaces.Items, EgressIPs: egressIPs.Items, VTEPs: vteps.Items, Nodes: nodes.Items,
		UplinkStates: uplinks.Items, NodeStates: states.Items, RouteStates: routes.Items, Read: read,
		NodeNetworks: networks.Items, ServiceCIDRs: services.Items, EndpointSlices: endpoints.Items,
	}, nil
}

// absent reports whether the API server doesn't know the kind. A list that is
// not found means the same: discovery may be older than the CRD's removal.
func absent(err error) bool { return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) }
