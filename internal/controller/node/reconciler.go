package node

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups=frrk8s.metallb.io,resources=frrconfigurations,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=frrk8s.metallb.io,resources=frrnodestates,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=noderoutestates,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=nodenetworks,verbs=list;watch;create;patch;delete

// Reconciler brings one node's objects to what is planned for it.
type Reconciler struct {
	// Reader reads from the cache only, Uncached from the API server.
	Reader   client.Reader
	Uncached client.Reader
	Applier  *apply.Applier
	Rollout  *current.Rollout
	Tallies  *current.Tallies
	// Advertisements gets the RouteAdvertisements whose tally changed, and NADs those of
	// which a network is now advertised by a first node, or no longer by any.
	Advertisements *current.Trigger[string]
	// Policies gets the policies of these.
	Policies *current.Trigger[string]
	NADs     func(ctx context.Context, ras []string)
	// Drained has the nodes that drained, and Drains gets their policies.
	Drained *current.Drained
	Drains  *current.Trigger[string]
	// Raw decides which nodes may have raw text, nil without --frr-raw; Nodes gets those
	// for which it comes to decide otherwise.
	Raw     *current.Trial
	Nodes   *current.Trigger[string]
	Metrics *metrics.Metrics
	// Now is the clock.
	Now func() time.Time
	// ObserveOnly plans, and writes nothing.
	ObserveOnly bool

	retries retries
	known   known
}

// Reconcile plans and applies one node. Failed writes are not returned as
// errors: they are findings, which the RouteAdvertisements' conditions report, and are
// tried again later.
func (r *Reconciler) Reconcile(ctx context.Context, name string) (ctrl.Result, error) {
	revision := r.Rollout.Revision()
	if revision == nil {
		// The first revision asks for every node.
		return ctrl.Result{}, nil
	}
	var object corev1.Node
	err := r.Reader.Get(ctx, types.NamespacedName{Name: name}, &object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return ctrl.Result{}, r.remove(ctx, name, revision)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	report, left, err := r.reported(ctx, name)
	if err != nil {
		return ctrl.Result{}, err
	}
	allocated, err := r.allocated(ctx, name)
	if err != nil {
		return ctrl.Result{}, err
	}
	live, err := liveObjects(ctx, r.Reader, name)
	if err != nil {
		return ctrl.Result{}, err
	}

	state, told, err := r.frrState(ctx, name)
	if err != nil {
		return ctrl.Result{}, err
	}

	job := job{Reconciler: r, revision: revision, object: &object, report: report, allocated: allocated, live: live, state: state}
	job.node = job.read(&object)
	if job.aside, err = job.uncovered(ctx); err != nil {
		return ctrl.Result{}, err
	}
	parts, again := job.run(ctx)
	if len(job.aside) > 0 {
		again = sooner(again, lookForCover)
	}
	if left > 0 {
		again = sooner(again, left)
	}
	noteConfigured(state, parts)
	r.noteDrained(name, revision, parts, told)
	r.changed(ctx, r.Tallies.Set(name, parts))
	r.Rollout.CaughtUp(name, revision)
	return ctrl.Result{RequeueAfter: again}, nil
}

// changed wakes those who go by the tallies.
func (r *Reconciler) changed(ctx context.Context, change outcome.Change) {
	r.Advertisements.Now(change.Tallies...)
	if revision := r.Rollout.Revision(); revision != nil {
		r.Policies.Now(revision.PoliciesOf(change.Tallies)...)
	}
	if len(change.Advertising) > 0 {
		r.NADs(ctx, change.Advertising)
	}
}

// remove deletes what a node that is gone leaves behind.
func (r *Reconciler) remove(ctx context.Context, name string, revision *current.Revision) error {
	live, err := liveObjects(ctx, r.Reader, name)
	if err != nil {
		return err
	}
	networks, _, unread := liveNetworks(ctx, r.Reader, name)
	if unread != nil {
		return unread
	}
	if !r.ObserveOnly {
		_, err = r.Applier.Node(ctx, name, nil, live)
		_, undeleted := r.Applier.Networks(ctx, name, nil, networks)
		err = errors.Join(err, undeleted)
	}
	r.retries.forget(name)
	r.known.forget(name)
	if r.Raw != nil {
		r.Nodes.Later(r.Raw.Forget(name)...)
		r.Metrics.Raw(r.Raw.Counts())
	}
	r.Drained.Set(name, false)
	r.changed(ctx, r.Tallies.Remove(name))
	r.Rollout.CaughtUp(name, revision)
	if err != nil {
		return errors.Join(errors.New("node "+name+" is deleted, but not everything that was generated for it"), err)
	}
	return nil
}
