package controller

import (
	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// Scheme returns a scheme of all kinds that the controllers use.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(snapshot.AddToScheme(scheme))
	return scheme
}

// CacheOptions returns what the manager's cache has to be made with. One
// transform serves all kinds: options by object would have the cache look up
// each kind at its start, and fail for a CRD that is missing. Of EndpointSlices,
// which every API server has and which there are many of, it may hold one.
func CacheOptions() cache.Options {
	own := cache.Config{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, snapshot.APIServerEndpoints.Name)}
	return cache.Options{
		DefaultTransform: strip(),
		ByObject: map[client.Object]cache.ByObject{
			&discoveryv1.EndpointSlice{}: {Namespaces: map[string]cache.Config{snapshot.APIServerEndpoints.Namespace: own}},
		},
	}
}

// strip returns a transform that keeps of each object what is asked of it.
func strip() func(any) (any, error) {
	node := apply.StripNode(
		ovnk.AnnotationNodeSubnets, ovnk.AnnotationPrimaryAddress, ovnk.AnnotationHostCIDRs,
		ovnk.AnnotationGatewayConfig, ovnk.AnnotationChassisID, ovnk.AnnotationNetworkIDs, ovnk.AnnotationLayer2TunnelIDs,
		ovnk.AnnotationLayer2Version, ovnk.AnnotationMasqueradeSubnet, ovnk.AnnotationTransitAddress, ovnk.AnnotationVTEPs,
		model.AnnotationMaintenance,
	)
	nads := apply.StripMetadata(nad.Annotations()...)
	metadata := apply.StripMetadata()
	managedFields := cache.TransformStripManagedFields()
	return func(object any) (any, error) {
		switch o := object.(type) {
		case *corev1.Node:
			return node(o)
		case *frrk8sv1beta1.FRRConfiguration:
			return apply.StripGenerated(o)
		case *frrk8sv1beta1.FRRNodeState:
			return apply.StripNodeState(o)
		case *nadv1.NetworkAttachmentDefinition:
			// The default network's says whether it has an overlay, and those of EVPN
			// networks their VLANs; others repeat what ClusterUserDefinedNetworks say.
			if !snapshot.ReadsConfig(o) {
				o.Spec = nadv1.NetworkAttachmentDefinitionSpec{}
			}
			return nads(o)
		case *metav1.PartialObjectMetadata: // of NodeNetworks
			return apply.StripNetworks(o), nil
		case *v1alpha1.NodeRouteState:
			return snapshot.StripRouteState(o), nil
		case *corev1.Namespace:
			return metadata(o)
		case *ovnv1.RouteAdvertisements, *ovnv1.VTEP, *v1alpha1.RoutePolicy:
			// The writers of the status show whether another controller works on it.
			return o, nil
		default:
			return managedFields(o)
		}
	}
}
