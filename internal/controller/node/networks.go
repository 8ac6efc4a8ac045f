package node

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// NetworksKind is what nodes' agents are to follow. An installation that was not
// upgraded whole lacks its CRD.
var NetworksKind = v1alpha1.GroupVersion.WithKind("NodeNetworks")

// liveNetworks is what the cluster has of the node's NodeNetworks; served is false
// where the API server has no such kind.
func liveNetworks(ctx context.Context, reader client.Reader, node string) (live *apply.LiveObject, served bool, err error) {
	object := apply.NetworksMetadata()
	err = reader.Get(ctx, types.NamespacedName{Name: node}, object, client.UnsafeDisableDeepCopy)
	switch {
	case err == nil:
		found := apply.LiveNetworks(object)
		return &found, true, nil
	case apierrors.IsNotFound(err):
		return nil, true, nil
	case meta.IsNoMatchError(err):
		return nil, false, nil
	}
	return nil, false, err
}

// allocated are the addresses of VTEPs that the node was given: they are planned with only
// once they are written down.
func (r *Reconciler) allocated(ctx context.Context, node string) (map[string][]netip.Addr, error) {
	object := apply.NetworksMetadata()
	err := r.Reader.Get(ctx, types.NamespacedName{Name: node}, object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	return snapshot.Allocations(object), err
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
	return j.publishObject(ctx, j.networks(p), live)
}

// networks renders what the plan has the node do for its networks.
func (j *job) networks(p *model.NodePlan) *v1alpha1.NodeNetworks {
	around := j.revision.Nodes.Surroundings(j.object)
	p.Networks, p.VTEPs = j.revision.Networks(j.node, around, p.Parts), j.revision.VTEPs(j.node, p.Parts)
	return render.Networks(p, around, j.revision.Cluster())
}

func (j *job) publishObject(ctx context.Context, object *v1alpha1.NodeNetworks, live *apply.LiveObject) error {
	result, err := j.Applier.Networks(ctx, j.node.Name, object, live)
	if len(result.Altered) > 0 {
		log.FromContext(ctx).Info("A webhook changes NodeNetworks as they are written; exempt them from it, or agents follow what it makes of them", "objects", result.Altered)
	}
	return err
}

// publishBesideKept is publish for a node on which an FRRConfiguration stays that is not
// of this plan. What was said to be advertised with it still is, and nothing that the
// API server has just refused may be added. All else is the plan's: a part that is
// refused must not keep the node from what has nothing to do with it. If nothing was
// published yet, nobody knows what the object advertises, and the agent waits.
func (j *job) publishBesideKept(ctx context.Context, p *model.NodePlan) error {
	if j.ObserveOnly {
		return nil
	}
	live, served, err := liveNetworks(ctx, j.Reader, j.node.Name)
	if err != nil || !served || live == nil {
		return err
	}
	var published v1alpha1.NodeNetworksList
	if err := j.Uncached.List(ctx, &published, client.MatchingFields{metav1.ObjectNameField: j.node.Name}); err != nil || len(published.Items) == 0 {
		return err
	}
	// What a kept part advertises is its plan's, which was refused.
	rest := *p
	rest.Parts = slices.DeleteFunc(slices.Clone(p.Parts), func(part model.NodePart) bool { return part.State == model.PartKept })
	object := j.networks(&rest)
	keepAdvertised(&object.Spec, &published.Items[0].Spec)
	return j.publishObject(ctx, object, live)
}

// keepAdvertised adds to what is to be done where the published networks are advertised,
// and the EVPN by which they are.
func keepAdvertised(spec, published *v1alpha1.NodeNetworksSpec) {
	for i := range spec.Networks {
		n := &spec.Networks[i]
		at := slices.IndexFunc(published.Networks, func(old v1alpha1.NodeNetwork) bool { return old.Name == n.Name })
		if at < 0 {
			continue
		}
		old := &published.Networks[at]
		if n.EVPN == nil {
			n.EVPN = old.EVPN
		}
		if len(old.AdvertisedIn) > 0 {
			n.AdvertisedIn, n.PodVRFs = united(n.AdvertisedIn, old.AdvertisedIn), united(n.PodVRFs, old.PodVRFs)
			n.OwnVRFOnly = old.OwnVRFOnly
		}
	}
	for _, old := range published.VTEPs {
		// Whether it was given the address is only of the present.
		old.Allocated = nil
		if !slices.ContainsFunc(spec.VTEPs, func(v v1alpha1.NodeVTEP) bool { return v.Name == old.Name }) {
			spec.VTEPs = append(spec.VTEPs, old)
		}
	}
	slices.SortFunc(spec.VTEPs, func(a, b v1alpha1.NodeVTEP) int { return strings.Compare(a.Name, b.Name) })
}

func united(a, b []v1alpha1.VRFName) []v1alpha1.VRFName {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
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
func networksHandler(applier *apply.Applier) handler.TypedEventHandler[*metav1.PartialObjectMetadata, string] {
	type queue = workqueue.TypedRateLimitingInterface[string]
	type object = *metav1.PartialObjectMetadata
	return handler.TypedFuncs[object, string]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[object], q queue) {
			if !applier.SeenNetworks(e.Object) {
				q.Add(e.Object.Name)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[object], q queue) {
			given := e.ObjectOld.Annotations[model.AnnotationVTEPs] != e.ObjectNew.Annotations[model.AnnotationVTEPs]
			if e.ObjectOld.ResourceVersion != e.ObjectNew.ResourceVersion && (!applier.SeenNetworks(e.ObjectNew) || given) {
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
