package vtep

import (
	"context"
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// pause is how long to wait for more changes, which often come in bursts.
const pause = 100 * time.Millisecond

// Kinds that the controller goes by; their CRDs may be missing.
var (
	Kind         = ovnv1.GroupVersion.WithKind("VTEP")
	networksKind = apply.NetworksMetadata().GroupVersionKind()
)

// Setup adds the controller to the manager.
func Setup(m manager.Manager, r *Reconciler, kinds *optional.Kinds) error {
	c, err := controller.NewTyped("vtep", m, controller.TypedOptions[Request]{
		Reconciler:   r,
		RateLimiter:  workqueue.NewTypedItemExponentialFailureRateLimiter[Request](200*time.Millisecond, time.Minute),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	for _, s := range []source.TypedSource[Request]{
		source.TypedFunc[Request](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[Request]) error {
			queue.Add(Request{})
			return nil
		}),
		source.TypedKind(m.GetCache(), &corev1.Node{}, wake[*corev1.Node](), unless(sameNode)),
		source.TypedKind(m.GetCache(), &ovnv1.ClusterUserDefinedNetwork{}, wake[*ovnv1.ClusterUserDefinedNetwork](), unless(sameNetwork)),
		optional.NewSource(kinds, Kind, m.GetCache(), &ovnv1.VTEP{}, wake[*ovnv1.VTEP](), unless(sameVTEP)),
		optional.NewSource(kinds, networksKind, m.GetCache(), apply.NetworksMetadata(), wake[*metav1.PartialObjectMetadata](), unless(sameAllocations)),
	} {
		if err := c.Watch(s); err != nil {
			return err
		}
	}
	return nil
}

func wake[object client.Object]() handler.TypedEventHandler[object, Request] {
	type queue = workqueue.TypedRateLimitingInterface[Request]
	return handler.TypedFuncs[object, Request]{
		CreateFunc: func(_ context.Context, _ event.TypedCreateEvent[object], q queue) { q.AddAfter(Request{}, pause) },
		UpdateFunc: func(_ context.Context, _ event.TypedUpdateEvent[object], q queue) { q.AddAfter(Request{}, pause) },
		DeleteFunc: func(_ context.Context, _ event.TypedDeleteEvent[object], q queue) { q.AddAfter(Request{}, pause) },
	}
}

// unless returns a predicate for objects that come and go, and for updates unless the two
// are the same to who has which address.
func unless[object client.Object](same func(before, after object) bool) predicate.TypedPredicate[object] {
	return predicate.TypedFuncs[object]{
		UpdateFunc: func(e event.TypedUpdateEvent[object]) bool {
			return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() || !same(e.ObjectOld, e.ObjectNew)
		},
	}
}

func sameNode(before, after *corev1.Node) bool {
	return before.Annotations[ovnk.AnnotationVTEPs] == after.Annotations[ovnk.AnnotationVTEPs] &&
		slices.Equal(snapshot.Host(before).Addresses, snapshot.Host(after).Addresses)
}

func sameNetwork(before, after *ovnv1.ClusterUserDefinedNetwork) bool {
	return before.Generation == after.Generation
}

func sameVTEP(before, after *ovnv1.VTEP) bool {
	return before.Generation == after.Generation && slices.Equal(before.Finalizers, after.Finalizers) &&
		before.Annotations[model.AnnotationAllocate] == after.Annotations[model.AnnotationAllocate] &&
		reflect.DeepEqual(before.Status, after.Status)
}

func sameAllocations(before, after *metav1.PartialObjectMetadata) bool {
	return before.Annotations[model.AnnotationVTEPs] == after.Annotations[model.AnnotationVTEPs]
}
