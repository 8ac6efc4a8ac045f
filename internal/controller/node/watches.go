package node

import (
	"context"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/optional"
)

// StateKind is what frr-k8s reports of a node; older releases have no such kind.
var StateKind = frrk8sv1beta1.GroupVersion.WithKind("FRRNodeState")

// lookForOverdue is how often, and after what time, nodes are looked at again
// whose writes no watch has shown. It is longer than a cache takes to list
// again all of a large cluster's objects, which would be written twice.
const lookForOverdue = 5 * time.Minute

// Setup adds the controller to the manager. nodes is how others give it work.
func Setup(m manager.Manager, r *Reconciler, nodes *current.Trigger[string], kinds *optional.Kinds, workers int) error {
	c, err := controller.NewTyped("node", m, controller.TypedOptions[string]{
		Reconciler:              r,
		MaxConcurrentReconciles: workers,
		EnableWarmup:            new(true),
	})
	if err != nil {
		return err
	}
	for _, s := range sources(m.GetCache(), r.Applier, nodes, kinds, r.Raw != nil) {
		if err := c.Watch(s); err != nil {
			return err
		}
	}
	return m.Add(overdue{applier: r.Applier, nodes: nodes})
}

func sources(c cache.Cache, applier *apply.Applier, nodes *current.Trigger[string], kinds *optional.Kinds, raw bool) []source.TypedSource[string] {
	return []source.TypedSource[string]{
		nodes.Source(),
		source.TypedKind(c, &corev1.Node{}, byName[*corev1.Node](), nodeChanges(raw)),
		source.TypedKind(c, &frrk8sv1beta1.FRRConfiguration{}, generatedHandler(applier)),
		optional.NewSource(kinds, StateKind, c,
			&frrk8sv1beta1.FRRNodeState{}, byName[*frrk8sv1beta1.FRRNodeState](), stateChanges()),
		optional.NewSource(kinds, NetworksKind, c, apply.NetworksMetadata(), networksHandler(applier)).OnAppearance(allNodes(c)),
		optional.NewSource(kinds, RouteStateKind, c,
			&v1alpha1.NodeRouteState{}, byName[*v1alpha1.NodeRouteState](), reportChanges()),
	}
}

// allNodes asks for every node.
func allNodes(reader client.Reader) func(context.Context, workqueue.TypedRateLimitingInterface[string]) {
	return func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string]) {
		var list corev1.NodeList
		if err := reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			log.FromContext(ctx).Error(err, "Cannot list the nodes, so that each waits for its next change")
			return
		}
		for i := range list.Items {
			queue.Add(list.Items[i].Name)
		}
	}
}

// byName maps an object to the node of the same name.
func byName[object client.Object]() handler.TypedEventHandler[object, string] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, o object) []string {
		return []string{o.GetName()}
	})
}

// generatedHandler maps generated objects to their nodes, so that what others
// change or delete is put back. The applier gets every event, and knows those that are
// only the echo of its own writes.
func generatedHandler(applier *apply.Applier) handler.TypedEventHandler[*frrk8sv1beta1.FRRConfiguration, string] {
	type queue = workqueue.TypedRateLimitingInterface[string]
	type object = *frrk8sv1beta1.FRRConfiguration
	return handler.TypedFuncs[object, string]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[object], q queue) {
			if !applier.Seen(e.Object) {
				enqueue(q, e.Object)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[object], q queue) {
			if e.ObjectOld.ResourceVersion != e.ObjectNew.ResourceVersion && !applier.Seen(e.ObjectNew) {
				enqueue(q, e.ObjectOld, e.ObjectNew)
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[object], q queue) {
			if !applier.Gone(e.Object) {
				enqueue(q, e.Object)
			}
		},
	}
}

func enqueue(q workqueue.TypedRateLimitingInterface[string], objects ...*frrk8sv1beta1.FRRConfiguration) {
	for _, o := range objects {
		if node := apply.NodeOf(o); node != "" {
			q.Add(node)
		}
	}
}

// overdue looks for writes that no watch has shown.
type overdue struct {
	applier *apply.Applier
	nodes   *current.Trigger[string]
}

// Start looks until ctx ends.
func (o overdue) Start(ctx context.Context) error {
	ticker := time.NewTicker(lookForOverdue)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			o.nodes.Later(o.applier.Overdue(lookForOverdue)...)
		}
	}
}
