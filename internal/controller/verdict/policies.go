package verdict

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// +kubebuilder:rbac:groups=ovnbgp.io,resources=routepolicies,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=routepolicies/status,verbs=patch

// PolicyKind is watched where its CRD is there: a cluster whose CRDs are older than the
// operator has no policies.
var PolicyKind = v1alpha1.GroupVersion.WithKind("RoutePolicy")

// PolicyReconciler keeps the status of one RoutePolicy.
type PolicyReconciler struct {
	// Reader reads from the cache only.
	Reader   client.Reader
	Writer   client.Client
	Rollout  *current.Rollout
	Tallies  *current.Tallies
	Recorder events.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// ObserveOnly only reports what would be done, and nothing of objects that a working
	// operator has written since Started.
	ObserveOnly bool
	Started     time.Time

	pace pace
}

// Reconcile writes the status where it has to change. A status of before a change stays
// until all nodes are planned, or for the time of patience.
func (r *PolicyReconciler) Reconcile(ctx context.Context, name string) (ctrl.Result, error) {
	var object v1alpha1.RoutePolicy
	err := r.Reader.Get(ctx, types.NamespacedName{Name: name}, &object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		r.pace.forget(name)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	revision := r.Rollout.Revision()
	if revision == nil {
		return ctrl.Result{}, nil
	}
	verdict := revision.PolicyVerdict(name, r.Tallies.Policy)
	if verdict.Policy == "" || r.ObserveOnly && writtenSince(&object, model.FieldManager, r.Started) {
		// The revision that knows the object will ask for its status.
		return ctrl.Result{}, nil
	}
	verdict.Behind, verdict.ObserveOnly = r.Rollout.Behind(), r.ObserveOnly
	wait := r.pace.wait(name, false, r.Now())
	if verdict.Behind == 0 {
		r.pace.release(name)
	} else if held := r.pace.held(name, r.Now()); held < patience {
		return ctrl.Result{RequeueAfter: patience - held}, nil
	} else {
		wait = max(wait, r.pace.slowly(name, r.Now()))
	}
	existing := object.Status.Ancestors
	ancestors := status.PolicyAncestors(&verdict, existing, metav1.NewTime(r.Now()))
	if sameAncestors(existing, ancestors) {
		return ctrl.Result{}, nil
	}
	if wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if err := r.write(ctx, name, ancestors); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.pace.wrote(name, false, r.Now())
	r.tell(&object, existing, ancestors)
	return ctrl.Result{}, nil
}

// sameAncestors takes times for the same if they are so to the second, as the API server
// keeps them.
func sameAncestors(a, b []v1alpha1.PolicyAncestorStatus) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].AncestorRef != b[i].AncestorRef || len(a[i].Conditions) != len(b[i].Conditions) || status.Changed(a[i].Conditions, b[i].Conditions) {
			return false
		}
	}
	return true
}

// tell emits an event for each condition with another status or reason.
func (r *PolicyReconciler) tell(object *v1alpha1.RoutePolicy, existing, ancestors []v1alpha1.PolicyAncestorStatus) {
	before := map[v1alpha1.PolicyTargetReference][]metav1.Condition{}
	for _, a := range existing {
		before[a.AncestorRef] = a.Conditions
	}
	for _, a := range ancestors {
		for _, e := range status.Transitions(before[a.AncestorRef], a.Conditions) {
			r.Recorder.Eventf(object, nil, e.Type, e.Reason, "Plan", "RouteAdvertisements %s: %s", a.AncestorRef.Name, e.Message)
		}
	}
}

// write applies the list as a whole.
func (r *PolicyReconciler) write(ctx context.Context, name string, ancestors []v1alpha1.PolicyAncestorStatus) error {
	owner := client.FieldOwner(model.FieldManager)
	if r.ObserveOnly {
		owner = model.FieldManagerObserver
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&v1alpha1.RoutePolicyStatus{Ancestors: ancestors})
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(PolicyKind)
	object.SetName(name)
	return r.Writer.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), owner, client.ForceOwnership)
}

// ClearPolicy removes the status that the operator wrote, and reports whether there was
// any.
func ClearPolicy(ctx context.Context, c client.Client, object *v1alpha1.RoutePolicy) (bool, error) {
	if len(object.Status.Ancestors) == 0 {
		return false, nil
	}
	text, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": object.ResourceVersion}, "status": map[string]any{"ancestors": nil},
	})
	if err != nil {
		return false, err
	}
	target := &v1alpha1.RoutePolicy{ObjectMeta: metav1.ObjectMeta{Name: object.Name}}
	err = c.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, text), client.FieldOwner(model.FieldManager))
	return err == nil, client.IgnoreNotFound(err)
}

// SetupPolicies adds the controller to the manager. policies is how others give it work;
// every is the pace of writes to one object's status.
func SetupPolicies(m manager.Manager, r *PolicyReconciler, policies *current.Trigger[string], kinds *optional.Kinds, every time.Duration) error {
	r.pace.every = every
	c, err := controller.NewTyped("policies", m, controller.TypedOptions[string]{
		Reconciler:   r,
		RateLimiter:  workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry),
		EnableWarmup: new(true),
	})
	if err != nil {
		return err
	}
	if err := c.Watch(policies.Source()); err != nil {
		return err
	}
	// What others write over the status is put back.
	changes := predicate.TypedFuncs[*v1alpha1.RoutePolicy]{
		UpdateFunc: func(e event.TypedUpdateEvent[*v1alpha1.RoutePolicy]) bool {
			return e.ObjectOld.UID != e.ObjectNew.UID || !reflect.DeepEqual(e.ObjectOld.Status, e.ObjectNew.Status)
		},
	}
	return c.Watch(optional.NewSource(kinds, PolicyKind, m.GetCache(), &v1alpha1.RoutePolicy{},
		handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, o *v1alpha1.RoutePolicy) []string {
			return []string{o.Name}
		}), changes))
}
