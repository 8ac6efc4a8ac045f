package drain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// +kubebuilder:rbac:groups=ovnbgp.io,resources=drainpolicies,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=drainpolicies/status,verbs=patch

// Returning is how long a node goes on draining when it shall no longer: so a cordon that
// is put back soon costs nothing.
const Returning = 30 * time.Second

// retry is when to look again after somebody else wrote the status, whose event the cache
// is still to show.
const retry = time.Second

// Reconciler keeps the status of one DrainPolicy.
type Reconciler struct {
	// Reader reads from the cache only.
	Reader  client.Reader
	Writer  client.Client
	Rollout *current.Rollout
	Drained *current.Drained
	// Now is the clock.
	Now func() time.Time
	// Returning is how long nodes return.
	Returning time.Duration
}

// Reconcile moves the policy's nodes on, and writes the status where it has to change.
func (r *Reconciler) Reconcile(ctx context.Context, name string) (ctrl.Result, error) {
	var object v1alpha1.DrainPolicy
	err := r.Reader.Get(ctx, types.NamespacedName{Name: name}, &object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	revision := r.Rollout.Revision()
	if revision == nil {
		return ctrl.Result{}, nil
	}
	verdict := revision.DrainVerdict(name)
	if verdict.Policy == "" || verdict.Generation != object.Generation {
		// The revision that knows the object as it is will ask for its status.
		return ctrl.Result{}, nil
	}
	nodes, holds := phases(object.Status.Nodes, &verdict, r.Drained.Has, r.times(snapshot.DrainPolicy(&object)), r.Now())
	next := v1alpha1.DrainPolicyStatus{
		Conditions: status.DrainConditions(&verdict, object.Status.Conditions, metav1.NewTime(r.Now())),
		Nodes:      nodes,
	}
	if reflect.DeepEqual(next, object.Status) {
		return ctrl.Result{RequeueAfter: holds}, nil
	}
	switch err := r.write(ctx, &object, &next); {
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: retry}, nil
	case err != nil:
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	tell(ctx, object.Status.Nodes, nodes)
	return ctrl.Result{RequeueAfter: holds}, nil
}

func (r *Reconciler) times(policy model.DrainPolicy) times {
	out := times{withdraw: -1, returning: cmp.Or(r.Returning, Returning)}
	if policy.Withdraw != model.WithdrawNever {
		out.withdraw = policy.WithdrawAfter
	}
	return out
}

// write applies the status to the very version that it was made from: phases follow from
// the ones before, and a cache that is behind would begin one anew.
func (r *Reconciler) write(ctx context.Context, object *v1alpha1.DrainPolicy, next *v1alpha1.DrainPolicyStatus) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(next)
	if err != nil {
		return err
	}
	target := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	target.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("DrainPolicy"))
	target.SetName(object.Name)
	target.SetResourceVersion(object.ResourceVersion)
	err = r.Writer.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(target), client.FieldOwner(model.FieldManager), client.ForceOwnership)
	if err != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("the status of DrainPolicy %s: %w", object.Name, err)
	}
	return err
}

// Clear removes the status, and reports whether there was any.
func Clear(ctx context.Context, c client.Client, object *v1alpha1.DrainPolicy) (bool, error) {
	if len(object.Status.Conditions)+len(object.Status.Nodes) == 0 {
		return false, nil
	}
	text, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": object.ResourceVersion}, "status": map[string]any{"conditions": nil, "nodes": nil},
	})
	if err != nil {
		return false, err
	}
	target := &v1alpha1.DrainPolicy{ObjectMeta: metav1.ObjectMeta{Name: object.Name}}
	err = c.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, text), client.FieldOwner(model.FieldManager))
	return err == nil, client.IgnoreNotFound(err)
}

// tell logs what changed of nodes.
func tell(ctx context.Context, before, after []v1alpha1.DrainingNode) {
	phases := func(nodes []v1alpha1.DrainingNode) map[string]v1alpha1.DrainPhase {
		out := make(map[string]v1alpha1.DrainPhase, len(nodes))
		for _, n := range nodes {
			out[n.Name] = n.Phase
		}
		return out
	}
	was, is := phases(before), phases(after)
	for _, n := range after {
		if was[n.Name] != n.Phase {
			log.FromContext(ctx).Info("A node drains", "node", n.Name, "phase", n.Phase)
		}
	}
	for _, n := range before {
		if is[n.Name] == "" {
			log.FromContext(ctx).Info("A node drains no longer", "node", n.Name)
		}
	}
}
