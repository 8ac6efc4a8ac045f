// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RoutePolicy says with which BGP attributes routes of RouteAdvertisements are
// advertised, and which of them are not advertised to some neighbors or from some
// nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=routepolicies,scope=Cluster,shortName=rpol,singular=routepolicy
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Targets",type=string,JSONPath=".spec.targetRefs[*].name"
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=".status.ancestors[*].conditions[?(@.type=='Accepted')].status"
// +kubebuilder:printcolumn:name="Rendered",type=string,JSONPath=".status.ancestors[*].conditions[?(@.type=='Rendered')].status"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type RoutePolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which routes the policy is for, and what it does with them.
	//
	// +required
	Spec RoutePolicySpec `json:"spec"`

	// status reports what became of the policy for each of its targets.
	//
	// +optional
	Status RoutePolicyStatus `json:"status,omitzero"`
}

// RoutePolicySpec is a policy for routes of RouteAdvertisements.
type RoutePolicySpec struct {
	// targetRefs are the RouteAdvertisements whose routes the policy is for.
	//
	// +required
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	TargetRefs []PolicyTargetReference `json:"targetRefs"`

	// rules are applied to each route in order, for each neighbor. Communities of all
	// rules that match are added up. The first one that matches and has a
	// localPreference sets it, and likewise med and prepend. A rule that suppresses the
	// route ends the list.
	//
	// If several policies have the same target, the rules of the older policy come
	// first.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Rules []PolicyRule `json:"rules"`
}

// PolicyTargetReference names a target of a policy.
type PolicyTargetReference struct {
	// group is the target's API group, k8s.ovn.org.
	//
	// +required
	// +kubebuilder:validation:Enum=k8s.ovn.org
	Group string `json:"group"`

	// kind is the target's kind, RouteAdvertisements.
	//
	// +required
	// +kubebuilder:validation:Enum=RouteAdvertisements
	Kind string `json:"kind"`

	// name is the target's name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// PolicyRule does something with the routes that it matches.
//
// +kubebuilder:validation:XValidation:rule="has(self.set) != (has(self.suppress) && self.suppress)",message="a rule must have either set or suppress: true"
type PolicyRule struct {
	// match says which routes the rule is for. Every field that is set has to match;
	// without any, the rule is for all routes of the targets.
	//
	// +optional
	Match PolicyMatch `json:"match,omitzero"`

	// set are the attributes that the routes get.
	//
	// +optional
	Set *PolicyAttributes `json:"set,omitempty"`

	// suppress keeps the routes from being advertised to the neighbors. Another
	// RouteAdvertisements object may still advertise the same prefixes.
	//
	// +optional
	Suppress bool `json:"suppress,omitempty"`
}

// PolicyMatch says which routes a rule is for.
type PolicyMatch struct {
	// networkSelector matches the labels of the ClusterUserDefinedNetworks that the
	// routes lead to. The default network has one label,
	// "kubernetes.io/metadata.name: default".
	//
	// +optional
	NetworkSelector *metav1.LabelSelector `json:"networkSelector,omitempty"`

	// nodeSelector matches the labels of the nodes that advertise the routes.
	//
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// neighbors are those to whom the routes are advertised: the addresses of the
	// FRRConfigurations' neighbors, or the interfaces of unnumbered ones.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Neighbors []PolicyNeighbor `json:"neighbors,omitempty"`

	// prefixes are those of the routes. Any of them has to match.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Prefixes []PrefixMatch `json:"prefixes,omitempty"`

	// kinds are where the routes come from: PodNetwork is for pod subnets, EgressIP
	// for egress IPs.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Kinds []RouteKind `json:"kinds,omitempty"`
}

// PolicyNeighbor is a neighbor's address, or the interface of an unnumbered one.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=45
// +kubebuilder:validation:XValidation:rule="isIP(self) || self.matches('^[^/:[:space:]]{1,15}$')",message="a neighbor must be an IP address, or the name of an interface"
type PolicyNeighbor string

// RouteKind is where a route comes from.
//
// +kubebuilder:validation:Enum=PodNetwork;EgressIP
type RouteKind string

// PrefixMatch matches prefixes. Without ge and le it matches the prefix alone.
//
// +kubebuilder:validation:XValidation:rule="!has(self.ge) || !isCIDR(self.prefix) || self.ge >= cidr(self.prefix).prefixLength()",message="ge must not be less than the prefix's own length"
// +kubebuilder:validation:XValidation:rule="!has(self.le) || !isCIDR(self.prefix) || self.le >= cidr(self.prefix).prefixLength()",message="le must not be less than the prefix's own length"
// +kubebuilder:validation:XValidation:rule="!has(self.ge) || !has(self.le) || self.ge <= self.le",message="ge must not be greater than le"
// +kubebuilder:validation:XValidation:rule="!isCIDR(self.prefix) || cidr(self.prefix).ip().family() == 6 || ((!has(self.ge) || self.ge <= 32) && (!has(self.le) || self.le <= 32))",message="ge and le of an IPv4 prefix must not be greater than 32"
type PrefixMatch struct {
	// prefix is a subnet without host bits, as 10.0.0.0/8.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="prefix must be a subnet in CIDR notation with no host bits set"
	Prefix string `json:"prefix"`

	// ge also matches longer prefixes within the subnet, those of at least this
	// length.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=128
	GE *int32 `json:"ge,omitempty"`

	// le also matches longer prefixes within the subnet, those of at most this length.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=128
	LE *int32 `json:"le,omitempty"`
}

// PolicyAttributes are BGP attributes that a policy sets.
//
// +kubebuilder:validation:MinProperties=1
type PolicyAttributes struct {
	// communities are added to the routes. Each is "64512:100", a large community
	// (RFC 8092) "large:64512:100:200", or a well-known name: accept-own, blackhole,
	// graceful-shutdown, llgr-stale, no-advertise, no-export, no-export-subconfed,
	// no-llgr or no-peer.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Communities []PolicyCommunity `json:"communities,omitempty"`

	// localPreference is the routes' LOCAL_PREF. BGP carries it between routers of one
	// AS only, so neighbors of another AS don't see it.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	LocalPreference *int64 `json:"localPreference,omitempty"`

	// med is the routes' MULTI_EXIT_DISC: of paths from the same AS, neighbors prefer the
	// one with the lowest. It needs the manager's flag --frr-raw, because frr-k8s has no
	// field for it.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4294967295
	MED *int64 `json:"med,omitempty"`

	// prepend is how often the router's own AS number is added to the AS path, beside the
	// once that BGP adds it: neighbors prefer shorter paths. Neighbors of the same AS get
	// the path as it is, because they would drop one with their own number. It needs the
	// manager's flag --frr-raw, because frr-k8s has no field for it.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	Prepend *int32 `json:"prepend,omitempty"`
}

// PolicyCommunity is a BGP community.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=38
// +kubebuilder:validation:XValidation:rule="self in ['accept-own', 'blackhole', 'graceful-shutdown', 'llgr-stale', 'no-advertise', 'no-export', 'no-export-subconfed', 'no-llgr', 'no-peer'] || (self.matches('^[0-9]{1,5}:[0-9]{1,5}$') ? self.split(':').all(n, int(n) <= 65535) : self.matches('^large:[0-9]{1,10}:[0-9]{1,10}:[0-9]{1,10}$') && self.split(':').filter(n, n != 'large').all(n, int(n) <= 4294967295))",message="a community must be two numbers up to 65535, as 64512:100, three numbers up to 4294967295 after \"large:\", as large:64512:100:200, or a well-known name, as no-export"
type PolicyCommunity string

// Conditions of a RoutePolicy, for each of its targets.
//
//reference:conditions RoutePolicy
const (
	// RoutePolicyAccepted is True while the policy's rules apply to routes of the
	// target.
	RoutePolicyAccepted = "Accepted"
	// RoutePolicyRendered says on how many nodes the rules are in the generated
	// FRRConfigurations.
	RoutePolicyRendered = "Rendered"
)

// RoutePolicyStatus reports what became of a policy.
type RoutePolicyStatus struct {
	// ancestors report on each of spec.targetRefs.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Ancestors []PolicyAncestorStatus `json:"ancestors,omitempty"`
}

// PolicyAncestorStatus reports what became of a policy for one of its targets.
type PolicyAncestorStatus struct {
	// ancestorRef is the target.
	//
	// +required
	AncestorRef PolicyTargetReference `json:"ancestorRef"`

	// conditions are Accepted and Rendered.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// RoutePolicyList is a list of RoutePolicies.
//
// +kubebuilder:object:root=true
type RoutePolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RoutePolicy `json:"items"`
}
