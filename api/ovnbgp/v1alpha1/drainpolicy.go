// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DrainPolicy moves traffic away from nodes before they go down: what such a node
// advertises is marked for graceful shutdown (RFC 8326), and later withdrawn where
// other nodes advertise it, too.
//
// If several policies select a node, the oldest one counts.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=drainpolicies,scope=Cluster,shortName=drainpol,singular=drainpolicy
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=".status.conditions[?(@.type=='Accepted')].status"
// +kubebuilder:printcolumn:name="Draining",type=string,JSONPath=".status.nodes[*].name"
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=".status.nodes[*].phase"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type DrainPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which nodes the policy is for, when they drain, and how.
	//
	// +optional
	// +kubebuilder:default={}
	Spec DrainPolicySpec `json:"spec,omitzero"`

	// status reports which nodes drain.
	//
	// +optional
	Status DrainPolicyStatus `json:"status,omitzero"`
}

// DrainPolicySpec says which nodes a policy is for, when they drain, and how.
type DrainPolicySpec struct {
	// nodeSelector matches the labels of the nodes that the policy is for. Without it,
	// the policy is for all nodes.
	//
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// when says when a node drains: while any of these holds.
	//
	// +optional
	// +kubebuilder:default={}
	When DrainTriggers `json:"when,omitzero"`

	// do says what happens to what the node advertises.
	//
	// +optional
	// +kubebuilder:default={}
	Do DrainActions `json:"do,omitzero"`
}

// DrainTriggers say when a node drains.
//
// +kubebuilder:validation:XValidation:rule="!has(self.cordon) || self.cordon || !has(self.annotation) || self.annotation || has(self.taints)",message="one of cordon, taints and annotation must be set: no node would ever drain"
type DrainTriggers struct {
	// cordon drains a node while it is unschedulable, as kubectl cordon and kubectl
	// drain make it.
	//
	// +optional
	// +kubebuilder:default=true
	Cordon *bool `json:"cordon,omitempty"`

	// taints drain a node while it has one of them.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Taints []DrainTaint `json:"taints,omitempty"`

	// annotation drains a node while it has the annotation ovnbgp.io/maintenance, with
	// any value but "false".
	//
	// +optional
	// +kubebuilder:default=true
	Annotation *bool `json:"annotation,omitempty"`
}

// DrainTaint matches taints of nodes.
type DrainTaint struct {
	// key is the taint's key.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=316
	Key string `json:"key"`

	// value is the taint's value. Without it, any will do.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Value *string `json:"value,omitempty"`

	// effect is the taint's effect. Without it, any will do.
	//
	// +optional
	// +kubebuilder:validation:Enum=NoSchedule;PreferNoSchedule;NoExecute
	Effect string `json:"effect,omitempty"`
}

// DrainActions say what happens to what a draining node advertises.
//
// +kubebuilder:validation:XValidation:rule="!has(self.gracefulShutdown) || self.gracefulShutdown || !has(self.withdraw) || self.withdraw != 'Never'",message="gracefulShutdown must be true, or withdraw another than Never: nothing would change on a node that drains"
type DrainActions struct {
	// gracefulShutdown adds the community graceful-shutdown (65535:0, RFC 8326) to the
	// routes, and local preference 0 to those for neighbors of the same AS. Routers
	// then prefer every other path, and keep this one until there is another.
	//
	// +optional
	// +kubebuilder:default=true
	GracefulShutdown *bool `json:"gracefulShutdown,omitempty"`

	// withdraw says which routes are withdrawn in the end. Shared are those of subnets
	// that other nodes, which don't drain, advertise to the same VRF: those of Layer2
	// networks. Pods on the node stay reachable through the other nodes. Where
	// OVN-Kubernetes sets networks up only on nodes with pods of them, no subnet counts
	// as shared. Everything is all routes of the node, and pods that are still there
	// can't be reached any more. Never is none.
	//
	// +optional
	// +kubebuilder:default=Shared
	Withdraw DrainWithdrawal `json:"withdraw,omitempty"`

	// withdrawAfterSeconds is how long after FRR has the routes' new attributes routes
	// are withdrawn. It should be enough for the network to move all traffic.
	// "kubectl ra drain" waits as long before it returns.
	//
	// +optional
	// +kubebuilder:default=120
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	WithdrawAfterSeconds *int32 `json:"withdrawAfterSeconds,omitempty"`
}

// DrainWithdrawal says which routes of a draining node are withdrawn.
//
// +kubebuilder:validation:Enum=Shared;Everything;Never
type DrainWithdrawal string

// What is withdrawn.
const (
	WithdrawShared     DrainWithdrawal = "Shared"
	WithdrawEverything DrainWithdrawal = "Everything"
	WithdrawNever      DrainWithdrawal = "Never"
)

// Conditions of a DrainPolicy.
//
//reference:conditions DrainPolicy
const (
	// DrainPolicyAccepted is True while the policy counts for some node.
	DrainPolicyAccepted = "Accepted"
)

// DrainPolicyStatus reports which nodes drain. The operator goes by it, too: a node
// that is listed drains until its entry is removed.
type DrainPolicyStatus struct {
	// conditions has Accepted.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// nodes are those that drain because of the policy.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Nodes []DrainingNode `json:"nodes,omitempty"`
}

// DrainingNode is a node that drains.
type DrainingNode struct {
	// name is the node's name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// phase says how far it is. Pending: FRR doesn't have the routes' new attributes
	// yet. Draining: it has, and neighbors get them. Withdrawn: what spec.do.withdraw
	// says is withdrawn. Returning: the node shall drain no longer; it does so for 30
	// more seconds, during which nothing is withdrawn.
	//
	// +required
	Phase DrainPhase `json:"phase"`

	// since is when the phase began.
	//
	// +required
	Since metav1.Time `json:"since"`
}

// DrainPhase is how far a draining node is.
//
// +kubebuilder:validation:Enum=Pending;Draining;Withdrawn;Returning
type DrainPhase string

// The phases of a draining node.
const (
	DrainPending   DrainPhase = "Pending"
	DrainDraining  DrainPhase = "Draining"
	DrainWithdrawn DrainPhase = "Withdrawn"
	DrainReturning DrainPhase = "Returning"
)

// DrainPolicyList is a list of DrainPolicies.
//
// +kubebuilder:object:root=true
type DrainPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []DrainPolicy `json:"items"`
}
