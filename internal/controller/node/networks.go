package node

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// NetworksKind is what nodes' agents are to follow. An installation that was not
// upgraded whole lacks its CRD.
var NetworksKind = v1alpha1.GroupVersion.WithKind("NodeNetworks")

// liveNetworks is what the cluster has of the node's NodeNetworks; served is false
// where the API server has no such kind.
func liveNetworks(ctx context.Context, reader client.Reader, node string) (live *apply.LiveObject, served bool, err error) {
	var object v1alpha1.NodeNetworks
	err = reader.Get(ctx, types.NamespacedName{Name: node}, &object, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		found := apply.LiveNetworks(&object)
		return &found, true, nil
	case apierrors.IsNotFound(err):
		return nil, true, nil
	case meta.IsNoMatchError(err):
		return nil, false, nil
	}
	return nil, false, err
}

// publish writes what the node has to do for its networks, after its
// FRRConfigurations were written: a network counts as advertised only once neighbors
// are to know the way back.
func (j *job) publish(ctx context.Context, p *model.NodePlan) error {
	if j.ObserveOnly {
		return nil
	}
	live, served, err := liveNetworks(ctx, j.Reader, j.node.Name)
	if err != nil || !served {
		return err
	}
	around := j.revision.Nodes.Surroundings(j.object)
	p.Networks, p.VTEPs = j.revision.Networks(j.node, around, p.Parts), plan.VTEPs(p.Parts)
	result, err := j.Applier.Networks(ctx, j.node.Name, render.Networks(p, around, j.revision.Cluster()), live)
	if len(result.Altered) > 0 {
		log.FromContext(ctx).Info("The API server stored something else than was sent: the CRD of NodeNetworks is not the operator's version", "objects", result.Altered)
	}
	return err
}

// publishNothing writes what a node that can't be planned has to do while nothing is
// advertised from it, so that a new node imports routes anyway. If the node has
// objects of ours, what is advertised is not known, and what was published last stays.
func (j *job) publishNothing(ctx context.Context) error {
	if slices.ContainsFunc(j.live, func(o apply.LiveObject) bool { return o.Owned }) {
		return nil
	}
	return j.publish(ctx, &model.NodePlan{Node: j.node.Name, Hostname: j.node.Hostname})
}

// unpublished adds to the parts that the node's agent does not know the plan. The
// parts are still in place: FRR advertises them to the neighbors.
func unpublished(parts []model.NodePart, err error) []model.NodePart {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Findings = append(slices.Clone(out[i].Findings), finding.NodeNetworksNotWritten(withoutNode(err)))
	}
	return out
}

// withoutNode leaves the node's name out of the text, so that the same failure on
// many nodes is one finding.
func withoutNode(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		return strings.ReplaceAll(status.Status().Message, strconv.Quote(status.Status().Details.Name), "of the node")
	}
	return err.Error()
}

// networksHandler maps NodeNetworks to their nodes, so that what others change or
// delete is put back, and what nodes that are gone left is deleted.
func networksHandler(applier *apply.Applier) handler.TypedEventHandler[*v1alpha1.NodeNetworks, string] {
	type queue = workqueue.TypedRateLimitingInterface[string]
	type object = *v1alpha1.NodeNetworks
	return handler.TypedFuncs[object, string]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[object], q queue) {
			if !applier.SeenNetworks(e.Object) {
				q.Add(e.Object.Name)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[object], q queue) {
			if e.ObjectOld.ResourceVersion != e.ObjectNew.ResourceVersion && !applier.SeenNetworks(e.ObjectNew) {
				q.Add(e.ObjectNew.Name)
			}
		},
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[object], q queue) {
			if !applier.GoneNetworks(e.Object) {
				q.Add(e.Object.Name)
			}
		},
	}
}
