package verdict

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
	"sigs.k8s.io/controller-runtime/pkg/source"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
)

const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = time.Minute
)

// Setup adds the controller to the manager. advertisements is how others give
// it work; every is the pace of writes to one object's status.
func Setup(m manager.Manager, r *Reconciler, advertisements *current.Trigger[string], every time.Duration) error {
	r.pace.every = every
	c, err := controller.NewTyped("verdict", m, controller.TypedOptions[string]{
		Reconciler:   r,
		RateLimiter:  workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	if err := c.Watch(advertisements.Source()); err != nil {
		return err
	}
	return c.Watch(source.TypedKind(m.GetCache(), &ovnv1.RouteAdvertisements{},
		handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, o *ovnv1.RouteAdvertisements) []string {
			return []string{o.Name}
		}), statusChanges()))
}

// statusChanges lets changes of the status through, so that what others write
// over it is put back. Changes of the spec come through a new revision.
func statusChanges() predicate.TypedPredicate[*ovnv1.RouteAdvertisements] {
	return predicate.TypedFuncs[*ovnv1.RouteAdvertisements]{
		UpdateFunc: func(e event.TypedUpdateEvent[*ovnv1.RouteAdvertisements]) bool {
			return e.ObjectOld.UID != e.ObjectNew.UID || !reflect.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status)
		},
	}
}
