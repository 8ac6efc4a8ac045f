package nad

import (
	"maps"
	"reflect"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// acceptedChanges lets through what lists goes by. The plan tells of its own changes.
func acceptedChanges() predicate.TypedPredicate[*ovnv1.RouteAdvertisements] {
	return predicate.TypedFuncs[*ovnv1.RouteAdvertisements]{
		// New ones come by way of a new revision, and go by it.
		CreateFunc: func(event.TypedCreateEvent[*ovnv1.RouteAdvertisements]) bool { return false },
		DeleteFunc: func(event.TypedDeleteEvent[*ovnv1.RouteAdvertisements]) bool { return false },
		UpdateFunc: func(e event.TypedUpdateEvent[*ovnv1.RouteAdvertisements]) bool {
			for _, listed := range [2]bool{true, false} {
				if lists(e.ObjectOld, listed, yes) != lists(e.ObjectNew, listed, yes) {
					return true
				}
			}
			return false
		},
	}
}

// changes lets changes through of the annotations, of which the cache keeps
// those that matter, and of the owners.
func changes() predicate.TypedPredicate[*nadv1.NetworkAttachmentDefinition] {
	return predicate.TypedFuncs[*nadv1.NetworkAttachmentDefinition]{
		UpdateFunc: func(e event.TypedUpdateEvent[*nadv1.NetworkAttachmentDefinition]) bool {
			return !maps.Equal(e.ObjectOld.Annotations, e.ObjectNew.Annotations) ||
				!reflect.DeepEqual(e.ObjectOld.OwnerReferences, e.ObjectNew.OwnerReferences)
		},
	}
}
