package node

import (
	"maps"
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// nodeChanges lets those changes of a Node through that its plan depends on.
// The cache keeps no other annotations and addresses than those. With raw text it matters
// whether a node is up, too: one that isn't can't try a text.
func nodeChanges(raw bool) predicate.TypedPredicate[*corev1.Node] {
	return predicate.TypedFuncs[*corev1.Node]{
		UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Node]) bool {
			before, after := e.ObjectOld, e.ObjectNew
			return before.UID != after.UID ||
				!maps.Equal(before.Labels, after.Labels) ||
				!maps.Equal(before.Annotations, after.Annotations) ||
				!slices.Equal(before.Status.Addresses, after.Status.Addresses) ||
				raw && up(before) != up(after)
		},
	}
}

func up(n *corev1.Node) bool {
	host := snapshot.Host(n)
	return host.Maintenance.Up()
}

// stateChanges lets changes of what frr-k8s reports through: the cache keeps
// what is originated as an annotation, and the results of the last attempts.
func stateChanges() predicate.TypedPredicate[*frrk8sv1beta1.FRRNodeState] {
	return predicate.TypedFuncs[*frrk8sv1beta1.FRRNodeState]{
		UpdateFunc: func(e event.TypedUpdateEvent[*frrk8sv1beta1.FRRNodeState]) bool {
			return e.ObjectOld.ResourceVersion != e.ObjectNew.ResourceVersion
		},
	}
}
