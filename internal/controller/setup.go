package controller

import (
	"context"
	"errors"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/cluster"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/drain"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/holds"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/node"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/vtep"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// readyTimeout is less than a probe waits for an answer.
const readyTimeout = time.Second

// wiring is what the controllers share.
type wiring struct {
	rollout        *current.Rollout
	findings       *current.ControllerFindings
	tallies        *current.Tallies
	nodes          *current.Trigger[string]
	nads           *current.Trigger[types.NamespacedName]
	advertisements *current.Trigger[string]
	policies       *current.Trigger[string]
	drains         *current.Trigger[string]
	drained        *current.Drained
	raw            *current.Trial
	kinds          *optional.Kinds
	reader         optional.Reader
}

// Setup adds the controllers to the manager and returns the readiness check.
func Setup(m manager.Manager, o Options) (healthz.Checker, error) {
	o = o.withDefaults()
	w := wire(m, o)
	if err := node.AddIndexes(context.Background(), m.GetFieldIndexer()); err != nil {
		return nil, err
	}
	if o.Reads != nil {
		o.Reads(w.reader)
	}
	applier := apply.NewApplier(m.GetClient(), time.Now)
	definitions := &nad.Reconciler{
		Client: m.GetClient(), Reader: w.reader, Rollout: w.rollout, Tallies: w.tallies, Default: o.DefaultNAD, Findings: w.findings, ObserveOnly: o.ObserveOnly,
	}
	w.rollout.OnCaughtUp = func() {
		if w.raw != nil {
			if nodes := w.raw.Choose(); len(nodes) > 0 {
				// Now that they all are known, some of them get another plan.
				w.rollout.Again(nodes)
				w.nodes.Later(nodes...)
				return
			}
		}
		// The statuses and the annotations were waiting for this.
		ras := w.rollout.Revision().RouteAdvertisements()
		w.advertisements.Now(ras...)
		w.policies.Now(w.rollout.Revision().Policies()...)
		w.nads.Later(definitions.Of(context.Background(), ras)...)
	}
	err := errors.Join(
		setupVTEPs(m, o, w),
		setupHolds(m, o),
		setupDrains(m, o, w),
		m.Add(w.kinds),
		cluster.Setup(m, &cluster.Reconciler{
			Reader: w.reader, Writer: m.GetClient(), Settings: o.Settings, Rollout: w.rollout, Findings: w.findings,
			Nodes: w.nodes, NADs: w.nads, Advertisements: w.advertisements, Policies: w.policies, Drains: w.drains, Metrics: o.Metrics, Now: time.Now,
			ObserveOnly: o.ObserveOnly,
		}, w.kinds),
		node.Setup(m, &node.Reconciler{
			Reader: w.reader, Uncached: m.GetAPIReader(), Applier: applier, Rollout: w.rollout, Tallies: w.tallies,
			Advertisements: w.advertisements, Policies: w.policies, Metrics: o.Metrics, Now: time.Now, ObserveOnly: o.ObserveOnly,
			Drained: w.drained, Drains: w.drains, Raw: w.raw, Nodes: w.nodes,
			NADs: func(ctx context.Context, ras []string) { w.nads.Later(definitions.Of(ctx, ras)...) },
		}, w.nodes, w.kinds, o.Workers),
		verdict.Setup(m, &verdict.Reconciler{
			Client: m.GetClient(), Rollout: w.rollout, Tallies: w.tallies, Findings: w.findings,
			NodeStates: func() bool { return w.kinds.Served(node.StateKind) },
			Recorder:   m.GetEventRecorder(model.FieldManager), Metrics: o.Metrics, Now: time.Now, ObserveOnly: o.ObserveOnly, Started: time.Now(),
		}, w.advertisements, o.StatusPace),
		verdict.SetupPolicies(m, &verdict.PolicyReconciler{
			Reader: w.reader, Writer: m.GetClient(), Rollout: w.rollout, Tallies: w.tallies,
			Recorder: m.GetEventRecorder(model.FieldManager), Now: time.Now, ObserveOnly: o.ObserveOnly, Started: time.Now(),
		}, w.policies, w.kinds, o.StatusPace),
		nad.Setup(m, definitions, w.nads, w.kinds),
	)
	return ready(m, w.rollout), err
}

// setupVTEPs adds the controller that gives nodes addresses. Whoever only observes gives
// none.
func setupVTEPs(m manager.Manager, o Options, w *wiring) error {
	if !o.Settings.ManageVTEPs || o.ObserveOnly {
		return nil
	}
	return vtep.Setup(m, &vtep.Reconciler{Reader: w.reader, Uncached: m.GetAPIReader(), Writer: m.GetClient(), Now: time.Now}, w.kinds)
}

// setupHolds adds what removes holds that are left over. Whoever only observes removes
// none.
func setupHolds(m manager.Manager, o Options) error {
	if o.ObserveOnly {
		return nil
	}
	return m.Add(&holds.Remover{Reader: m.GetCache(), Writer: m.GetClient(), Every: o.LookForHolds, Now: time.Now})
}

// setupDrains adds the controller that follows draining nodes. Whoever only observes leaves
// their phases to those who act on them.
func setupDrains(m manager.Manager, o Options, w *wiring) error {
	if o.ObserveOnly {
		return nil
	}
	return drain.Setup(m, &drain.Reconciler{
		Reader: w.reader, Writer: m.GetClient(), Rollout: w.rollout, Drained: w.drained, Now: time.Now, Returning: o.DrainReturning,
	}, w.drains, w.kinds)
}

func wire(m manager.Manager, o Options) *wiring {
	w := &wiring{
		tallies:        current.NewTallies(),
		nodes:          &current.Trigger[string]{},
		nads:           &current.Trigger[types.NamespacedName]{},
		advertisements: &current.Trigger[string]{},
		policies:       &current.Trigger[string]{},
		drains:         &current.Trigger[string]{},
		drained:        &current.Drained{},
		kinds: optional.NewKinds(m.GetRESTMapper(), o.LookForKinds, m.GetLogger().WithName("kinds"),
			nad.Kind, snapshot.ServiceCIDRKind, cluster.VTEPKind, verdict.PolicyKind, cluster.DrainPolicyKind, snapshot.UplinkStateKind, node.StateKind, node.RouteStateKind, node.NetworksKind),
	}
	w.reader = optional.Reader{Reader: m.GetCache(), Kinds: w.kinds, Scheme: m.GetScheme()}
	w.findings = &current.ControllerFindings{OnChange: w.advertisements.Now}
	w.rollout = &current.Rollout{}
	if o.Settings.FRRRaw && !o.ObserveOnly {
		w.raw = current.NewTrial(func() bool { return w.rollout.Behind() == 0 })
	}
	return w
}

// ready says yes on a standby whose cache is filled, and on a leader that has
// compiled the cluster.
func ready(m manager.Manager, r *current.Rollout) healthz.Checker {
	return func(request *http.Request) error {
		ctx, cancel := context.WithTimeout(request.Context(), readyTimeout)
		defer cancel()
		if !m.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the cache is not filled yet")
		}
		select {
		case <-m.Elected():
			if r.Revision() == nil {
				return errors.New("the cluster has not been compiled yet")
			}
		default:
		}
		return nil
	}
}
