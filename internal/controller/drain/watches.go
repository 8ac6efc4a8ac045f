package drain

import (
	"context"
	"reflect"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/cluster"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
)

// Setup adds the controller to the manager. policies is how others give it work.
func Setup(m manager.Manager, r *Reconciler, policies *current.Trigger[string], kinds *optional.Kinds) error {
	c, err := controller.NewTyped("drain", m, controller.TypedOptions[string]{
		Reconciler:   r,
		RateLimiter:  workqueue.NewTypedItemExponentialFailureRateLimiter[string](200*time.Millisecond, 30*time.Second),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	if err := c.Watch(policies.Source()); err != nil {
		return err
	}
	byName := handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, o *v1alpha1.DrainPolicy) []string { return []string{o.Name} })
	return c.Watch(optional.NewSource(kinds, cluster.DrainPolicyKind, m.GetCache(), &v1alpha1.DrainPolicy{}, byName, statusChanges()))
}

// statusChanges lets changes of the status through, so that what others write over it is
// put back. Changes of the spec come through a new revision.
func statusChanges() predicate.TypedPredicate[*v1alpha1.DrainPolicy] {
	return predicate.TypedFuncs[*v1alpha1.DrainPolicy]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.DrainPolicy]) bool {
			return e.ObjectOld.UID != e.ObjectNew.UID || !reflect.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status)
		},
	}
}
