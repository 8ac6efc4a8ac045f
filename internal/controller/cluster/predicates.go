package cluster

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// unless returns a predicate for objects that come and go, and for updates
// unless the two are the same to the planner.
func unless[object client.Object](same func(before, after object) bool) predicate.TypedPredicate[object] {
	return predicate.TypedFuncs[object]{
		UpdateFunc: func(e event.TypedUpdateEvent[object]) bool {
			return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() || !same(e.ObjectOld, e.ObjectNew)
		},
	}
}

// sameRouteAdvertisements compares the spec, the label of the managed object, and the
// writers of the status. The writers show whether another controller works on the
// object; only then does it matter whether the object is accepted.
func sameRouteAdvertisements(before, after *ovnv1.RouteAdvertisements) bool {
	writers := statusWriters(after)
	return sameSpec(before, after) && slices.Equal(statusWriters(before), writers) &&
		(!slices.Contains(writers, ovnk.FieldManager) || snapshot.Accepted(before) == snapshot.Accepted(after))
}

func statusWriters(ra *ovnv1.RouteAdvertisements) []string {
	var managers []string
	for i := range ra.ManagedFields {
		if f := &ra.ManagedFields[i]; f.Subresource == "status" {
			managers = append(managers, f.Manager)
		}
	}
	slices.Sort(managers)
	return slices.Compact(managers)
}

// sameSpec goes by the generation, which the API server raises for every
// change of a spec, and when deletion begins.
func sameSpec(before, after client.Object) bool {
	return before.GetGeneration() == after.GetGeneration() && maps.Equal(before.GetLabels(), after.GetLabels())
}

// samePolicy goes by the spec alone.
func samePolicy(before, after *v1alpha1.RoutePolicy) bool {
	return before.Generation == after.Generation
}

func sameCUDN(before, after *ovnv1.ClusterUserDefinedNetwork) bool {
	return sameSpec(before, after) && before.Status.VRFName == after.Status.VRFName &&
		snapshot.AllocatedDynamically(before) == snapshot.AllocatedDynamically(after)
}

// sameFRRConfiguration knows nothing new about generated objects: ours are the
// node controller's, and of OVN-Kubernetes' only their being there matters.
func sameFRRConfiguration(before, after *frrk8sv1beta1.FRRConfiguration) bool {
	if apply.Owned(before) && apply.Owned(after) {
		return true
	}
	sameMarks := maps.Equal(before.Labels, after.Labels) &&
		before.Annotations[ovnk.AnnotationRouteAdvertisements] == after.Annotations[ovnk.AnnotationRouteAdvertisements]
	if strings.HasPrefix(after.Name, ovnk.GeneratedPrefix) {
		return sameMarks
	}
	return sameMarks && before.Generation == after.Generation &&
		before.Annotations[model.AnnotationSessionSettings] == after.Annotations[model.AnnotationSessionSettings]
}

// notOurs lets objects through that the operator did not generate; so that
// one that lost or got the mark counts, both sides of an update are asked.
func notOurs() predicate.TypedPredicate[*frrk8sv1beta1.FRRConfiguration] {
	return predicate.TypedFuncs[*frrk8sv1beta1.FRRConfiguration]{
		CreateFunc: func(e event.TypedCreateEvent[*frrk8sv1beta1.FRRConfiguration]) bool { return !apply.Owned(e.Object) },
		DeleteFunc: func(e event.TypedDeleteEvent[*frrk8sv1beta1.FRRConfiguration]) bool { return !apply.Owned(e.Object) },
	}
}

func sameNamespace(before, after *corev1.Namespace) bool {
	return maps.Equal(before.Labels, after.Labels)
}

// sameEgressIP looks at the assignments too. The kind has no status subresource, so
// its generation changes with the status; if OVN-Kubernetes adds one, the generation
// won't.
func sameEgressIP(before, after *ovnv1.EgressIP) bool {
	return sameSpec(before, after) && slices.Equal(before.Status.Items, after.Status.Items)
}

// sameNAD compares what defines the network and its ID, not what the operator itself
// writes.
func sameNAD(before, after *nadv1.NetworkAttachmentDefinition) bool {
	return before.Annotations[ovnk.AnnotationNetworkID] == after.Annotations[ovnk.AnnotationNetworkID] &&
		before.Annotations[ovnk.AnnotationNetworkName] == after.Annotations[ovnk.AnnotationNetworkName] &&
		(before.Spec.Config == after.Spec.Config || !snapshot.ReadsConfig(before) && !snapshot.ReadsConfig(after)) &&
		maps.Equal(before.Labels, after.Labels) &&
		reflect.DeepEqual(before.OwnerReferences, after.OwnerReferences)
}

// sameVTEP compares what OVN-Kubernetes says of the object, as the plan repeats it, and
// whether it says anything at all. The annotation asks for addresses.
func sameVTEP(before, after *ovnv1.VTEP) bool {
	reason, message := snapshot.VTEPRefusal(before)
	nowReason, nowMessage := snapshot.VTEPRefusal(after)
	return sameSpec(before, after) && reason == nowReason && message == nowMessage && slices.Equal(before.Finalizers, after.Finalizers) &&
		before.Annotations[model.AnnotationAllocate] == after.Annotations[model.AnnotationAllocate]
}

func sameUplinkState(before, after *unstructured.Unstructured) bool {
	return before.GetResourceVersion() == after.GetResourceVersion()
}

// sameEndpoints goes by the addresses: which of them are ready changes often, and
// none may lose its protection for that.
func sameEndpoints(before, after *discoveryv1.EndpointSlice) bool {
	return slices.Equal(snapshot.APIServerAddresses(before), snapshot.APIServerAddresses(after))
}

func sameServiceCIDR(before, after *networkingv1.ServiceCIDR) bool {
	return slices.Equal(before.Spec.CIDRs, after.Spec.CIDRs)
}

// sameHost goes by what other nodes' plans depend on. All else of a node is
// the node controller's, so that one node's change costs one node.
func sameHost(before, after *corev1.Node) bool {
	a, b := snapshot.Host(before), snapshot.Host(after)
	return a.Hostname == b.Hostname && slices.Equal(a.Addresses, b.Addresses) &&
		before.Annotations[ovnk.AnnotationNetworkIDs] == after.Annotations[ovnk.AnnotationNetworkIDs]
}

// sameDrainPolicy compares the spec, and which nodes the status has drain and withdraw:
// what it says beside that is for people.
func sameDrainPolicy(before, after *v1alpha1.DrainPolicy) bool {
	a, b := snapshot.DrainPolicies([]v1alpha1.DrainPolicy{*before}), snapshot.DrainPolicies([]v1alpha1.DrainPolicy{*after})
	return before.Generation == after.Generation && len(a) == len(b) && (len(a) == 0 || maps.Equal(a[0].Listed, b[0].Listed))
}

// sameDrain reports whether the node drains as before, and what it takes over from others
// that do. Without DrainPolicies, nothing of that matters.
func (r *Reconciler) sameDrain(before, after *corev1.Node) bool {
	policies := r.drains.Load()
	if policies == nil || len(*policies) == 0 {
		return true
	}
	a, b := snapshot.Host(before), snapshot.Host(after)
	was, is := plan.DrainOf(*policies, &a), plan.DrainOf(*policies, &b)
	return was.Policy == is.Policy && slices.Equal(was.Triggers, is.Triggers) && a.Maintenance.Up() == b.Maintenance.Up()
}
