package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/node"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// +kubebuilder:rbac:groups=k8s.ovn.org,resources=routeadvertisements,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=clusteruserdefinednetworks;egressips;vteps;uplinkstates,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=drainpolicies,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=servicecidrs,verbs=list;watch
// +kubebuilder:rbac:groups=discovery.k8s.io,namespace=default,resources=endpointslices,resourceNames=kubernetes,verbs=list;watch

// Request is the one request that there is: look at the whole cluster.
type Request struct{}

// Reconciler compiles the cluster.
type Reconciler struct {
	// Reader reads from the cache only.
	Reader client.Reader
	// Writer writes the managed RouteAdvertisements object.
	Writer   client.Writer
	Settings model.Settings
	Rollout  *current.Rollout
	Findings *current.ControllerFindings
	// Nodes, NADs, Advertisements and Policies give work to the other controllers.
	Nodes          *current.Trigger[string]
	NADs           *current.Trigger[types.NamespacedName]
	Advertisements *current.Trigger[string]
	Policies       *current.Trigger[string]
	Drains         *current.Trigger[string]
	Metrics        *metrics.Metrics
	// Now is the clock.
	Now func() time.Time
	// ObserveOnly writes nothing.
	ObserveOnly bool

	// claimed is what nodes claim, made at first use.
	claimed  *snapshot.Claims
	claiming sync.Once
	// uplinks are those that the last revision was made with.
	uplinks map[string]string
	// drains are the DrainPolicies by which changes of nodes matter.
	drains atomic.Pointer[[]model.DrainPolicy]
	// took is how long the last compilation took, in nanoseconds.
	took atomic.Int64
}

// Reconcile makes a new revision. What cannot be read is tried again and
// changes nothing.
func (r *Reconciler) Reconcile(ctx context.Context, _ Request) (ctrl.Result, error) {
	started := r.Now()
	if err := r.readDrains(ctx); err != nil {
		return ctrl.Result{}, r.unread(ctx, err)
	}
	objects, err := snapshot.Gather(ctx, r.Reader, snapshot.Options{WithoutNodeStates: true, WithoutRouteStates: true})
	if err != nil {
		return ctrl.Result{}, r.unread(ctx, err)
	}
	r.Findings.Clear(gatherSource)
	objects.Disputes = r.claims().Disputes()
	inputs := snapshot.Cluster(objects, r.Settings)
	inputs.DefaultSubnets = r.claims().DefaultSubnets()
	next := current.NewRevision(plan.Compile(&inputs), snapshot.NewNodeReader(objects, r.Settings))
	old := r.Rollout.Revision()

	uplinks := uplinkVersions(objects.UplinkStates)
	all, nodes := affected(next, old)
	nodes = slices.Concat(nodes, changedKeys(uplinks, r.uplinks))
	if all {
		if nodes, err = r.allNodes(ctx, objects); err != nil {
			return ctrl.Result{}, err
		}
	}
	nads, err := r.affectedNADs(ctx, next, old)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.Rollout.Replace(next, nodes)
	r.uplinks = uplinks
	r.Nodes.Later(nodes...)
	r.NADs.Later(nads...)
	r.Advertisements.Now(concerned(next, old)...)
	r.Policies.Now(next.Policies()...)
	r.Drains.Now(next.DrainPolicies()...)

	took := r.Now().Sub(started)
	r.took.Store(int64(took))
	r.Metrics.Compiled(took)
	log.FromContext(ctx).V(1).Info("Compiled the cluster", "revision", next.Number, "nodesToPlan", len(nodes), "took", took.String())
	return ctrl.Result{}, r.keepManaged(ctx, objects)
}

// readDrains reads the policies by which a node's change matters. It has to come before
// nodes are read: so a change is either among what is read, or it wakes the controller.
func (r *Reconciler) readDrains(ctx context.Context) error {
	var list v1alpha1.DrainPolicyList
	if err := r.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("listing DrainPolicies: %w", err)
	}
	policies := snapshot.DrainPolicies(list.Items)
	r.drains.Store(&policies)
	return nil
}

func (r *Reconciler) claims() *snapshot.Claims {
	r.claiming.Do(func() { r.claimed = snapshot.NewClaims() })
	return r.claimed
}

// gatherSource is the source of findings with reading.
const gatherSource = "gather"

// unread has every RouteAdvertisements object that can be found report that nothing
// new is known.
func (r *Reconciler) unread(ctx context.Context, cause error) error {
	var names []string
	if revision := r.Rollout.Revision(); revision != nil {
		names = revision.RouteAdvertisements()
	} else {
		var list ovnv1.RouteAdvertisementsList
		if err := r.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			return errors.Join(cause, err)
		}
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
	}
	r.Findings.Set(gatherSource, names, finding.ReadFailed(cause))
	return cause
}

// pause is how long to wait for more changes before compiling: a burst of them
// must not keep the manager busy with compiling all the time.
func (r *Reconciler) pause() time.Duration {
	return min(max(4*time.Duration(r.took.Load()), 50*time.Millisecond), 2*time.Second)
}

// affected says which nodes have to be planned again.
func affected(next, old *current.Revision) (all bool, nodes []string) {
	if old == nil {
		return true, nil
	}
	return next.Affected(old.Compiled)
}

// allNodes are the nodes that are there and those that left objects behind.
func (r *Reconciler) allNodes(ctx context.Context, objects *snapshot.Objects) ([]string, error) {
	names, err := node.Generated(ctx, r.Reader)
	if err != nil {
		return nil, err
	}
	for i := range objects.Nodes {
		names[objects.Nodes[i].Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func (r *Reconciler) affectedNADs(ctx context.Context, next, old *current.Revision) ([]types.NamespacedName, error) {
	if next.SameAdvertisers(old) {
		return nil, nil
	}
	return nad.All(ctx, r.Reader)
}

// concerned are the RouteAdvertisements of both revisions: verdicts are cheap,
// and only what changed in them is written.
func concerned(next, old *current.Revision) []string {
	names := next.RouteAdvertisements()
	if old != nil {
		names = append(names, old.RouteAdvertisements()...)
	}
	slices.SortFunc(names, cmp.Compare[string])
	return slices.Compact(names)
}
