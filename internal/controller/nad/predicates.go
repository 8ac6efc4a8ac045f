package nad

import (
	"maps"
	"reflect"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

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
