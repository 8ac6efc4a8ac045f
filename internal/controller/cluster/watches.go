package cluster

import (
	"context"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// VTEPKind is watched where its CRD is there: only EVPN networks need it.
var VTEPKind = ovnv1.GroupVersion.WithKind("VTEP")

// DrainPolicyKind is watched where its CRD is there, which an upgrade may leave out.
var DrainPolicyKind = v1alpha1.GroupVersion.WithKind("DrainPolicy")

// Setup adds the controller to the manager.
func Setup(m manager.Manager, r *Reconciler, kinds *optional.Kinds) error {
	c, err := controller.NewTyped("cluster", m, controller.TypedOptions[Request]{
		Reconciler:   r,
		RateLimiter:  workqueue.NewTypedItemExponentialFailureRateLimiter[Request](200*time.Millisecond, 30*time.Second),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	for _, s := range r.sources(m.GetCache(), kinds) {
		if err := c.Watch(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) sources(c cache.Cache, kinds *optional.Kinds) []source.TypedSource[Request] {
	uplinkState := &unstructured.Unstructured{}
	uplinkState.SetGroupVersionKind(snapshot.UplinkStateKind)
	return []source.TypedSource[Request]{
		source.TypedFunc[Request](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[Request]) error {
			// An empty cluster has no events, and has to be compiled as well.
			queue.Add(Request{})
			return nil
		}),
		source.TypedKind(c, &ovnv1.RouteAdvertisements{}, wake[*ovnv1.RouteAdvertisements](r), unless(sameRouteAdvertisements)),
		source.TypedKind(c, &ovnv1.ClusterUserDefinedNetwork{}, wake[*ovnv1.ClusterUserDefinedNetwork](r), unless(sameCUDN)),
		source.TypedKind(c, &frrk8sv1beta1.FRRConfiguration{}, wake[*frrk8sv1beta1.FRRConfiguration](r), notOurs(), unless(sameFRRConfiguration)),
		source.TypedKind(c, &corev1.Namespace{}, wake[*corev1.Namespace](r), unless(sameNamespace)),
		source.TypedKind(c, &ovnv1.EgressIP{}, wake[*ovnv1.EgressIP](r), unless(sameEgressIP)),
		source.TypedKind(c, &corev1.Node{}, wakeByNodes(r)),
		source.TypedKind(c, &discoveryv1.EndpointSlice{}, wake[*discoveryv1.EndpointSlice](r), unless(sameEndpoints)),
		optional.NewSource(kinds, snapshot.ServiceCIDRKind, c, &networkingv1.ServiceCIDR{}, wake[*networkingv1.ServiceCIDR](r), unless(sameServiceCIDR)),
		optional.NewSource(kinds, nad.Kind, c, &nadv1.NetworkAttachmentDefinition{}, wake[*nadv1.NetworkAttachmentDefinition](r), unless(sameNAD)),
		optional.NewSource(kinds, verdict.PolicyKind, c, &v1alpha1.RoutePolicy{}, wake[*v1alpha1.RoutePolicy](r), unless(samePolicy)),
		optional.NewSource(kinds, DrainPolicyKind, c, &v1alpha1.DrainPolicy{}, wake[*v1alpha1.DrainPolicy](r), unless(sameDrainPolicy)),
		optional.NewSource(kinds, VTEPKind, c, &ovnv1.VTEP{}, wake[*ovnv1.VTEP](r), unless(sameVTEP)),
		optional.NewSource(kinds, snapshot.UplinkStateKind, c, uplinkState, wake[*unstructured.Unstructured](r), unless(sameUplinkState)),
	}
}

// wake asks for a new revision, after a pause in which more changes may come.
func wake[object client.Object](r *Reconciler) handler.TypedEventHandler[object, Request] {
	type queue = workqueue.TypedRateLimitingInterface[Request]
	return handler.TypedFuncs[object, Request]{
		CreateFunc: func(_ context.Context, _ event.TypedCreateEvent[object], q queue) { q.AddAfter(Request{}, r.pause()) },
		UpdateFunc: func(_ context.Context, _ event.TypedUpdateEvent[object], q queue) { q.AddAfter(Request{}, r.pause()) },
		DeleteFunc: func(_ context.Context, _ event.TypedDeleteEvent[object], q queue) { q.AddAfter(Request{}, r.pause()) },
	}
}

// wakeByNodes is wake for nodes whose change is of concern to others: what all
// plans depend on, and what several of them claim.
func wakeByNodes(r *Reconciler) handler.TypedEventHandler[*corev1.Node, Request] {
	type queue = workqueue.TypedRateLimitingInterface[Request]
	return handler.TypedFuncs[*corev1.Node, Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*corev1.Node], q queue) {
			r.claims().Note(e.Object)
			q.AddAfter(Request{}, r.pause())
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Node], q queue) {
			disputes := r.claims().Note(e.ObjectNew)
			if disputes || e.ObjectOld.UID != e.ObjectNew.UID || !sameHost(e.ObjectOld, e.ObjectNew) || !r.sameDrain(e.ObjectOld, e.ObjectNew) {
				q.AddAfter(Request{}, r.pause())
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Node], q queue) {
			r.claims().Forget(e.Object.Name)
			q.AddAfter(Request{}, r.pause())
		},
	}
}
