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

// reported returns what the node's agent says of the node, and for how long that counts
// yet.
func (r *Reconciler) reported(ctx context.Context, name string) (report model.AgentReport, left time.Duration, err error) {
	var state v1alpha1.NodeRouteState
	err = r.Reader.Get(ctx, types.NamespacedName{Name: name}, &state, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return report, 0, nil
	}
	if err != nil {
		return report, 0, err
	}
	report, left = snapshot.Reported(&state, r.Now())
	return report, left, nil
}

// reportChanges lets a NodeRouteState through if the agent says something else than
// before, or if what was said before no longer counted.
func reportChanges() predicate.TypedPredicate[*v1alpha1.NodeRouteState] {
	return predicate.TypedFuncs[*v1alpha1.NodeRouteState]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.NodeRouteState]) bool {
			var when time.Time
			if after := e.ObjectNew.Status.AbsentTime; after != nil {
				when = after.Time
			} else if e.ObjectOld.Status.AbsentTime != nil {
				return true
			}
			before, _ := snapshot.Reported(e.ObjectOld, when)
			now, _ := snapshot.Reported(e.ObjectNew, when)
			return before.EVPN != now.EVPN || before.Layer2.Known != now.Layer2.Known || !maps.Equal(before.Layer2.Absent, now.Layer2.Absent)
		},
	}
}
