package manifest

import (
	"fmt"
	"slices"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// maxKindEdits is how far a kind may be from what was meant.
const maxKindEdits = 4

// ownGroup is the API group of this operator's own kinds.
const ownGroup = "ovnbgp.io"

// kind is a kind that has a part in a plan.
type kind struct {
	new        func() client.Object
	namespaced bool
	// custom kinds are judged by their CRD's schema, the others by their Go
	// types.
	custom bool
}

var kinds = map[schema.GroupVersionKind]kind{
	ovnv1.GroupVersion.WithKind("RouteAdvertisements"): {
		new: func() client.Object { return &ovnv1.RouteAdvertisements{} }, custom: true,
	},
	ovnv1.GroupVersion.WithKind("ClusterUserDefinedNetwork"): {
		new: func() client.Object { return &ovnv1.ClusterUserDefinedNetwork{} }, custom: true,
	},
	ovnv1.GroupVersion.WithKind("EgressIP"): {
		new: func() client.Object { return &ovnv1.EgressIP{} }, custom: true,
	},
	ovnv1.GroupVersion.WithKind("VTEP"): {
		new: func() client.Object { return &ovnv1.VTEP{} }, custom: true,
	},
	frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration"): {
		new: func() client.Object { return &frrk8sv1beta1.FRRConfiguration{} }, namespaced: true, custom: true,
	},
	frrk8sv1beta1.GroupVersion.WithKind("FRRNodeState"): {
		new: func() client.Object { return &frrk8sv1beta1.FRRNodeState{} }, custom: true,
	},
	v1alpha1.GroupVersion.WithKind("NodeRouteState"): {
		new: func() client.Object { return &v1alpha1.NodeRouteState{} }, custom: true,
	},
	v1alpha1.GroupVersion.WithKind("RoutePolicy"): {
		new: func() client.Object { return &v1alpha1.RoutePolicy{} }, custom: true,
	},
	v1alpha1.GroupVersion.WithKind("DrainPolicy"): {
		new: func() client.Object { return &v1alpha1.DrainPolicy{} }, custom: true,
	},
	v1alpha1.GroupVersion.WithKind("NodeNetworks"): {
		new: func() client.Object { return &v1alpha1.NodeNetworks{} }, custom: true,
	},
	corev1.SchemeGroupVersion.WithKind("Node"): {
		new: func() client.Object { return &corev1.Node{} },
	},
	corev1.SchemeGroupVersion.WithKind("Namespace"): {
		new: func() client.Object { return &corev1.Namespace{} },
	},
	corev1.SchemeGroupVersion.WithKind("Secret"): {
		new: func() client.Object { return &corev1.Secret{} }, namespaced: true,
	},
	nadv1.SchemeGroupVersion.WithKind("NetworkAttachmentDefinition"): {
		new: func() client.Object { return &nadv1.NetworkAttachmentDefinition{} }, namespaced: true,
	},
	snapshot.ServiceCIDRKind: {
		new: func() client.Object { return &networkingv1.ServiceCIDR{} },
	},
	snapshot.UplinkStateKind: {
		new: func() client.Object { return &unstructured.Unstructured{} },
	},
}

// bystanders are the kinds of our groups that have no part in a plan.
var bystanders = map[string][]string{
	ovnk.Group: {
		"AdminPolicyBasedExternalRoute", "ClusterNetworkConnect", "EgressFirewall", "EgressQoS",
		"EgressService", "NetworkQoS", "Uplink", "UserDefinedNetwork",
	},
	frrk8sv1beta1.GroupVersion.Group: {"BGPSessionState", "FRRK8sConfiguration"},
	ownGroup:                         {},
}

// kubernetesKinds distinguishes Kubernetes' own kinds from misspelt ones.
var kubernetesKinds = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	return scheme
}()

// classify says whether a kind has a part in a plan, can be skipped, or can't
// be right.
func classify(gvk schema.GroupVersionKind) (known kind, skip bool, err error) {
	if known, found := kinds[gvk]; found {
		return known, false, nil
	}
	if others := versionsOf(gvk.GroupKind()); len(others) > 0 {
		return kind{}, false, fmt.Errorf("%s has no version %q; write apiVersion: %s", gvk.Kind, gvk.Version, others[0])
	}
	if list, ours := bystanders[gvk.Group]; ours {
		if slices.Contains(list, gvk.Kind) {
			return kind{}, true, nil
		}
		return kind{}, false, unknownKind(gvk, append(kindsOf(gvk.Group), list...))
	}
	if kubernetesKinds.IsGroupRegistered(gvk.Group) {
		names := kubernetesNames(gvk.Group)
		if slices.Contains(names, gvk.Kind) {
			return kind{}, true, nil
		}
		return kind{}, false, unknownKind(gvk, names)
	}
	return kind{}, true, wrongGroup(gvk)
}

func unknownKind(gvk schema.GroupVersionKind, names []string) error {
	if best := spelling.Closest(gvk.Kind, names, maxKindEdits); best != "" {
		return fmt.Errorf("there is no kind %q in %s; did you mean %s?", gvk.Kind, gvk.GroupVersion(), best)
	}
	return fmt.Errorf("there is no kind %q in %s", gvk.Kind, gvk.GroupVersion())
}

// wrongGroup catches a misspelt group, which would otherwise pass as some
// other project's kind and be skipped. Nodes and the like exist in other
// projects' groups, too, but hardly a kind of ours.
func wrongGroup(gvk schema.GroupVersionKind) error {
	for known, kind := range kinds {
		if kind.custom && known.Kind == gvk.Kind {
			return fmt.Errorf("%s is of another group; write apiVersion: %s", gvk.Kind, known.GroupVersion())
		}
	}
	return nil
}

func versionsOf(gk schema.GroupKind) []string {
	var versions []string
	for known := range kinds {
		if known.GroupKind() == gk {
			versions = append(versions, known.GroupVersion().String())
		}
	}
	slices.Sort(versions)
	return versions
}

func kindsOf(group string) []string {
	var names []string
	for known := range kinds {
		if known.Group == group {
			names = append(names, known.Kind)
		}
	}
	slices.Sort(names)
	return names
}

func kubernetesNames(group string) []string {
	var names []string
	for _, version := range kubernetesKinds.PrioritizedVersionsForGroup(group) {
		for name := range kubernetesKinds.KnownTypes(version) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
