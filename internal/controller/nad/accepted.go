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
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// accepted are those of the RouteAdvertisements that are Accepted in their
// current generation, and those that the operator listed before it stood aside
// for another controller. OVN-Kubernetes' nodes read the annotation in order and stop
// at the first that is not: one rejected object in it would have every node that
// restarts take the network for one that nobody advertises.
func (r *Reconciler) accepted(ctx context.Context, names []string, standsAside func(string) bool, object *nadv1.NetworkAttachmentDefinition) ([]string, error) {
	// Malformed, they count as empty; merge tells of it.
	listed, _ := parse(object.Annotations, annotationWritten)
	present, _ := parse(object.Annotations, ovnk.AnnotationRouteAdvertisements)
	var out []string
	for _, name := range listed {
		// The other controller keeps the same annotation, and takes the name away
		// when it wants it gone.
		if standsAside(name) && slices.Contains(present, name) {
			out = append(out, name)
		}
	}
	for _, name := range names {
		var ra ovnv1.RouteAdvertisements
		err := r.Client.Get(ctx, client.ObjectKey{Name: name}, &ra, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read RouteAdvertisements %q: %w", name, err)
		}
		if lists(&ra, slices.Contains(listed, name)) {
			out = append(out, name)
		}
	}
	return out, nil
}

// lists reports whether the annotation should have the object. Until the
// condition is about the current generation, and known, what is written stays:
// taking it out for a moment would withdraw the network for that moment.
func lists(ra *ovnv1.RouteAdvertisements, listed bool) bool {
	condition := meta.FindStatusCondition(ra.Status.Conditions, status.Accepted)
	if condition == nil || condition.ObservedGeneration != ra.Generation || condition.Status == metav1.ConditionUnknown {
		return listed
	}
	return condition.Status == metav1.ConditionTrue
}

// ofAdvertisements are the NetworkAttachmentDefinitions of the networks that a
// RouteAdvertisements object advertises.
func (r *Reconciler) ofAdvertisements(ctx context.Context, ra *ovnv1.RouteAdvertisements) []types.NamespacedName {
	revision := r.Plan.Revision()
	if revision == nil {
		return nil // The first revision asks for all.
	}
	var list nadv1.NetworkAttachmentDefinitionList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // Without such a kind there is nothing to annotate.
	}
	var keys []types.NamespacedName
	for i := range list.Items {
		if object := &list.Items[i]; slices.Contains(revision.Advertisers(NetworkOf(object, r.Default)), ra.Name) {
			keys = append(keys, client.ObjectKeyFromObject(object))
		}
	}
	return keys
}
