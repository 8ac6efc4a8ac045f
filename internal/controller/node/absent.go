package node

import (
	"context"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// RouteStateKind is what the node's agent reports. The manager also runs
// without agents, and without their CRD.
var RouteStateKind = v1alpha1.GroupVersion.WithKind("NodeRouteState")

// layer2 returns what the node's agent says of Layer2 networks, and for how long
// that counts yet.
func (r *Reconciler) layer2(ctx context.Context, name string) (report model.Layer2Report, left time.Duration, err error) {
	var state v1alpha1.NodeRouteState
	err = r.Reader.Get(ctx, types.NamespacedName{Name: name}, &state, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return report, 0, nil
	}
	if err != nil {
		return report, 0, err
	}
	report, left = snapshot.Absent(&state, r.Now())
	return report, left, nil
}

// absentChanges lets a NodeRouteState through if other networks are absent than
// before, or if what was said before no longer counted.
func absentChanges() predicate.TypedPredicate[*v1alpha1.NodeRouteState] {
	return predicate.TypedFuncs[*v1alpha1.NodeRouteState]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.NodeRouteState]) bool {
			after := e.ObjectNew.Status.AbsentTime
			if after == nil {
				return e.ObjectOld.Status.AbsentTime != nil
			}
			before, _ := snapshot.Absent(e.ObjectOld, after.Time)
			now, _ := snapshot.Absent(e.ObjectNew, after.Time)
			return before.Known != now.Known || !maps.Equal(before.Absent, now.Absent)
		},
	}
}
