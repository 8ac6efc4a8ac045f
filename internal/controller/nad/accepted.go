package nad

import (
	"context"
	"fmt"
	"slices"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// advertising are those of the RouteAdvertisements for which some node advertises the
// network and that are Accepted in their current generation, and those that the operator
// listed before it stood aside for another controller. OVN-Kubernetes' nodes read the
// annotation in order and stop at the first that is not: one rejected object in it would
// have every node that restarts take the network for one that nobody advertises.
func (r *Reconciler) advertising(ctx context.Context, network string, revision *current.Revision, object *nadv1.NetworkAttachmentDefinition) ([]string, error) {
	// Malformed, they count as empty; merge tells of it.
	listed, _ := parse(object.Annotations, annotationWritten)
	present, _ := parse(object.Annotations, ovnk.AnnotationRouteAdvertisements)
	var out []string
	for _, name := range listed {
		// The other controller keeps the same annotation, and takes the name away
		// when it wants it gone.
		if revision.AcceptedElsewhere(name) && slices.Contains(present, name) {
			out = append(out, name)
		}
	}
	for _, name := range revision.Advertisers(network) {
		var ra ovnv1.RouteAdvertisements
		err := r.Client.Get(ctx, client.ObjectKey{Name: name}, &ra, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read RouteAdvertisements %q: %w", name, err)
		}
		// At take-over it is the other controller that listed it.
		stays := slices.Contains(listed, name) || slices.Contains(present, name)
		if lists(&ra, stays, r.somewhere(revision, name, network)) {
			out = append(out, name)
		}
	}
	return out, nil
}

// answer is whether the plan has some node advertise a network's pods.
type answer int

const (
	notKnown answer = iota
	no
	yes
)

// somewhere asks the plan whether some node advertises a network's pods for an object.
// Where nodes are still to be planned, or keep what was applied, none may be known of.
//
// An object for egress IPs alone advertises its networks wherever those are. An object
// that is for pods, too, goes by the pods: OVN-Kubernetes reads from its spec what it
// advertises, and would stop translating the addresses of pods to which no neighbor knows
// the way.
func (r *Reconciler) somewhere(revision *current.Revision, ra, network string) answer {
	if !revision.AdvertisesPods(ra) {
		return yes
	}
	// First, because a node is counted before it has caught up.
	behind := r.Rollout.Behind()
	switch nodes := r.Tallies.Advertising(ra, network); {
	case nodes.Nodes > 0:
		return yes
	case behind > 0 || nodes.Unknown > 0:
		return notKnown
	default:
		return no
	}
}

// lists reports whether the annotation should have the object. Until the plan is known,
// and the condition is about the current generation and known, what is written stays:
// taking it out for a moment would withdraw the network for that moment.
func lists(ra *ovnv1.RouteAdvertisements, listed bool, advertised answer) bool {
	if advertised == no {
		return false
	}
	condition := meta.FindStatusCondition(ra.Status.Conditions, status.Accepted)
	if condition == nil || condition.ObservedGeneration != ra.Generation || condition.Status == metav1.ConditionUnknown {
		return listed
	}
	return condition.Status == metav1.ConditionTrue && (listed || advertised == yes)
}

// Of are the NetworkAttachmentDefinitions of the networks that RouteAdvertisements
// objects select.
func (r *Reconciler) Of(ctx context.Context, ras []string) []types.NamespacedName {
	revision := r.Rollout.Revision()
	if revision == nil {
		return nil // The first revision asks for all.
	}
	var list nadv1.NetworkAttachmentDefinitionList
	if err := r.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // Without such a kind there is nothing to annotate.
	}
	var keys []types.NamespacedName
	for i := range list.Items {
		if object := &list.Items[i]; slices.ContainsFunc(revision.Advertisers(NetworkOf(object, r.Default)), func(ra string) bool { return slices.Contains(ras, ra) }) {
			keys = append(keys, client.ObjectKeyFromObject(object))
		}
	}
	return keys
}
