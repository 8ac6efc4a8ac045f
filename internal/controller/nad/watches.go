package nad

import (
	"context"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
)

// Kind is the kind that the controller works on; its CRD may be missing.
var Kind = nadv1.SchemeGroupVersion.WithKind("NetworkAttachmentDefinition")

// Setup adds the controller to the manager. nads is how others give it work.
func Setup(m manager.Manager, r *Reconciler, nads *current.Trigger[types.NamespacedName], kinds *optional.Kinds) error {
	c, err := controller.NewTyped("nad", m, controller.TypedOptions[types.NamespacedName]{
		Reconciler: r,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](
			500*time.Millisecond, lastRetry),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	if err := c.Watch(nads.Source()); err != nil {
		return err
	}
	if err := c.Watch(source.TypedKind(m.GetCache(), &ovnv1.RouteAdvertisements{},
		handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, ra *ovnv1.RouteAdvertisements) []types.NamespacedName {
			return r.Of(ctx, []string{ra.Name})
		}), acceptedChanges())); err != nil {
		return err
	}
	return c.Watch(optional.NewSource(kinds, Kind, m.GetCache(), &nadv1.NetworkAttachmentDefinition{},
		handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, o *nadv1.NetworkAttachmentDefinition) []types.NamespacedName {
			return []types.NamespacedName{client.ObjectKeyFromObject(o)}
		}), changes()))
}

// All lists every NetworkAttachmentDefinition; none where there is no such kind.
func All(ctx context.Context, reader client.Reader) ([]types.NamespacedName, error) {
	var list nadv1.NetworkAttachmentDefinitionList
	err := reader.List(ctx, &list, client.UnsafeDisableDeepCopy)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return keys, nil
}
