package verdict

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// +kubebuilder:rbac:groups=k8s.ovn.org,resources=routeadvertisements,verbs=list;watch
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=routeadvertisements/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create

// patience is how long a status waits for nodes to catch up. A cluster that
// never settles gets figures from its midst.
const patience = time.Minute

// acceptedGrace is for how many paces an early Accepted is delayed. Within that time
// the nodes of most clusters have caught up, so that one write reports everything.
const acceptedGrace = 3

// Reconciler keeps the status of one RouteAdvertisements object.
type Reconciler struct {
	// Client reads from the cache.
	Client   client.Client
	Rollout  *current.Rollout
	Tallies  *current.Tallies
	Findings *current.ControllerFindings
	// NodeStates reports whether the cluster has FRRNodeStates.
	NodeStates func() bool
	Recorder   events.EventRecorder
	Metrics    *metrics.Metrics
	// Now is the clock.
	Now func() time.Time
	// ObserveOnly only reports what would be done. It leaves Accepted alone, because
	// others act on it, and objects that a working operator has written since Started.
	ObserveOnly bool
	Started     time.Time

	pace pace
}

// Reconcile writes the status where it has to change.
func (r *Reconciler) Reconcile(ctx context.Context, name string) (ctrl.Result, error) {
	var object ovnv1.RouteAdvertisements
	err := r.Client.Get(ctx, types.NamespacedName{Name: name}, &object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		r.pace.forget(name)
		r.Metrics.Forget(name)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	verdict, found := r.verdict(&object)
	if !found {
		// The revision that knows the object will ask for its status.
		return ctrl.Result{}, nil
	}
	verdict.Behind, verdict.ObserveOnly = r.Rollout.Behind(), r.ObserveOnly
	if (verdict.StandAside != "" || verdict.Beside) && !r.ObserveOnly && owns(&object, acceptedField) {
		// What it says stays, without an owner, until the other controller, which
		// applies it without force, says something else: OVN-Kubernetes' nodes
		// act on it.
		_, err := Release(ctx, r.Client, &object)
		return ctrl.Result{RequeueAfter: time.Second}, err
	}
	r.Metrics.Tally(name, verdict.Tally)

	if r.ObserveOnly && writtenSince(&object, model.FieldManager, r.Started) {
		// A working operator puts its own Rendered back, again and again.
		return ctrl.Result{}, nil
	}

	existing := object.Status.Conditions
	conditions := status.Conditions(verdict, r.NodeStates(), existing, metav1.NewTime(r.Now()))
	textOnly := sameOutcome(conditions, existing)
	wait := r.pace.wait(name, textOnly, r.Now())
	if verdict.Behind > 0 {
		// Half of the nodes give half of the picture. The last one to catch up
		// asks for this status again.
		held := r.pace.held(name, r.Now())
		switch {
		case held >= patience:
			wait = max(wait, r.pace.slowly(name, r.Now()))
		case newlyAccepted(conditions, existing):
			conditions = acceptedAlone(conditions, existing)
			wait = max(wait, acceptedGrace*r.pace.every-held)
		default:
			return ctrl.Result{RequeueAfter: patience - held}, nil
		}
	} else {
		r.pace.release(name)
	}
	text := status.Text(conditions)
	if !status.Changed(existing, conditions) && (text == "" || text == object.Status.Status) {
		return ctrl.Result{}, nil
	}
	if wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if err := r.write(ctx, name, text, conditions); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.pace.wrote(name, textOnly, r.Now())
	for _, e := range status.Transitions(existing, conditions) {
		r.Recorder.Eventf(&object, nil, e.Type, e.Reason, "Plan", "%s", e.Message)
	}
	return ctrl.Result{}, nil
}

// verdict is what is known of the object. Before the first revision that may
// be nothing but findings, such as that the cluster can't be read.
func (r *Reconciler) verdict(object *ovnv1.RouteAdvertisements) (model.Verdict, bool) {
	findings := r.Findings.Of(object.Name)
	revision := r.Rollout.Revision()
	if revision == nil {
		return model.Verdict{RA: object.Name, Generation: object.Generation, Findings: findings}, len(findings) > 0
	}
	verdict := revision.Verdict(object.Name, r.Tallies.Tally(object.Name))
	verdict.Findings = append(verdict.Findings, findings...)
	return verdict, verdict.RA != ""
}

// sameOutcome reports whether conditions differ from those that exist in their
// texts at most.
func sameOutcome(conditions, existing []metav1.Condition) bool {
	return !slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		before := find(existing, c.Type)
		return before == nil || before.Status != c.Status || before.Reason != c.Reason || before.ObservedGeneration != c.ObservedGeneration
	})
}

// newlyAccepted reports whether OVN-Kubernetes' nodes, which wait for Accepted
// at the current generation, can learn of it before all nodes are planned.
func newlyAccepted(conditions, existing []metav1.Condition) bool {
	next, before := find(conditions, status.Accepted), find(existing, status.Accepted)
	return next != nil && next.Status == metav1.ConditionTrue &&
		(before == nil || before.Status != metav1.ConditionTrue || before.ObservedGeneration != next.ObservedGeneration)
}

// acceptedAlone leaves the other conditions as they are.
func acceptedAlone(conditions, existing []metav1.Condition) []metav1.Condition {
	var out []metav1.Condition
	for i := range conditions {
		if conditions[i].Type == status.Accepted {
			out = append(out, conditions[i])
		} else if before := find(existing, conditions[i].Type); before != nil {
			out = append(out, *before)
		}
	}
	return out
}

func find(conditions []metav1.Condition, kind string) *metav1.Condition {
	i := slices.IndexFunc(conditions, func(c metav1.Condition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &conditions[i]
}

// write applies the conditions, of which the operator owns those that it
// sends: those of others stay.
func (r *Reconciler) write(ctx context.Context, name, text string, conditions []metav1.Condition) error {
	owner := client.FieldOwner(model.FieldManager)
	if r.ObserveOnly {
		owner = model.FieldManagerObserver
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&ovnv1.RouteAdvertisementsStatus{Status: text, Conditions: conditions})
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(ovnv1.GroupVersion.WithKind("RouteAdvertisements"))
	object.SetName(name)
	return r.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), owner, client.ForceOwnership)
}
