package model

import "strings"

// The names by which the operator knows its own objects again.
const (
	// FieldManager owns the fields that the operator applies.
	FieldManager = "ovn-bgp-operator"
	// FieldManagerObserver owns the condition that an observing operator
	// writes, so that those that a working one wrote before stay.
	FieldManagerObserver = "ovn-bgp-operator-observer"
	// LabelGenerated marks FRRConfigurations that the operator generated; they
	// never become templates.
	LabelGenerated = "ovnbgp.io/generated"
	// AnnotationNode names the node that a generated object is for.
	AnnotationNode = "ovnbgp.io/node"
	// LabelManaged is on the template of managed routing and is what the
	// managed RouteAdvertisements object selects; its value is "true".
	LabelManaged = "ovnbgp.io/managed"
	// ManagedName is the name of the managed RouteAdvertisements object and of
	// its template.
	ManagedName = "ovnbgp-managed"

	// SelectorBeingChanged is the key of a requirement in a template's node selector, that
	// nodes have it as a label, which none has: frr-k8s then leaves the template out on
	// all nodes. The operator goes by the other requirements, so that it can generate
	// objects that agree with the template before the two meet on a node.
	SelectorBeingChanged = "ovnbgp.io/being-changed"
	// AnnotationHoldUntil is on a hold, an object because of which frr-k8s leaves FRR as
	// it is, and has the time after which it is left over.
	AnnotationHoldUntil = "ovnbgp.io/hold-until"
	// AnnotationSessionSettings on a template has, as YAML, settings of its neighbors and
	// routers that frr-k8s has no fields for.
	AnnotationSessionSettings = "ovnbgp.io/session-settings"

	// AnnotationAllocate on a VTEP with mode Unmanaged asks the operator for the nodes'
	// addresses; its value is "true".
	AnnotationAllocate = "ovnbgp.io/allocate"
	// AnnotationVTEPs is on NodeNetworks, which only the operator writes, and has the
	// addresses that it gave to the node, by VTEP. FieldManagerVTEPs owns it.
	AnnotationVTEPs   = "ovnbgp.io/vteps"
	FieldManagerVTEPs = "ovn-bgp-operator-vteps"

	// AnnotationMaintenance on a Node has it drain, by a DrainPolicy, unless its value is
	// "false".
	AnnotationMaintenance = "ovnbgp.io/maintenance"

	// LabelName is the label that every network and template carries for
	// selection without being labelled, with its name as the value.
	LabelName = "kubernetes.io/metadata.name"
	// LabelHostname is the node label that generated objects select by.
	LabelHostname = "kubernetes.io/hostname"
)

// GeneratedPrefix starts the name of every generated object.
const GeneratedPrefix = "ovnbgp"

// Generated reports whether the operator generated an object: by its label or, if
// that was removed, by its name and its other mark, so that the label can be put
// back.
func Generated(name string, labels, annotations map[string]string) bool {
	_, labelled := labels[LabelGenerated]
	_, annotated := annotations[AnnotationNode]
	return labelled || annotated && strings.HasPrefix(name, GeneratedPrefix)
}
