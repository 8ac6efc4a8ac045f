package model

import (
	"cmp"
	"slices"
	"time"
)

// DrainPolicy is one DrainPolicy object.
type DrainPolicy struct {
	Name       string
	Created    time.Time
	Generation int64
	// Nodes are those that it is for.
	Nodes Selector
	When  DrainTriggers
	// GracefulShutdown marks the routes of draining nodes, and Withdraw says which of
	// them are withdrawn in the end.
	GracefulShutdown bool
	Withdraw         Withdrawal
	// WithdrawAfter is how long after FRR has the routes marked.
	WithdrawAfter time.Duration
	// Listed are the nodes of its status, which drain until they are listed no longer;
	// the value says whether routes are to be withdrawn.
	Listed  map[string]bool
	Problem *Problem
}

// Withdrawal is what a draining node withdraws in the end.
type Withdrawal string

// The withdrawals that the API knows.
const (
	WithdrawShared     Withdrawal = "Shared"
	WithdrawEverything Withdrawal = "Everything"
	WithdrawNever      Withdrawal = "Never"
)

// DrainTriggers say when a node drains: while any of them holds.
type DrainTriggers struct {
	Cordon, Annotation bool
	Taints             []TaintMatch
}

// TaintMatch matches taints by key, and by value and effect where these are set.
type TaintMatch struct {
	Key    string
	Value  *string
	Effect string
}

// Maintenance is what a node says of its being taken down.
type Maintenance struct {
	// Cordoned is set on unschedulable nodes, and Annotated by AnnotationMaintenance.
	Cordoned, Annotated bool
	Taints              []Taint
}

// Taint is a taint of a node.
type Taint struct{ Key, Value, Effect string }

// unreachable are the taints by which Kubernetes marks nodes that are down.
var unreachable = []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}

// Up reports whether the cluster takes the node for working.
func (m *Maintenance) Up() bool {
	return !slices.ContainsFunc(m.Taints, func(t Taint) bool { return slices.Contains(unreachable, t.Key) })
}

// Matches reports whether the match is for the taint.
func (m TaintMatch) Matches(t Taint) bool {
	return m.Key == t.Key && (m.Value == nil || *m.Value == t.Value) && (m.Effect == "" || m.Effect == t.Effect)
}

// Hold returns what of the node makes it drain, for people; none if it doesn't drain.
func (d *DrainTriggers) Hold(m *Maintenance) []string {
	var out []string
	if d.Cordon && m.Cordoned {
		out = append(out, "cordon")
	}
	if d.Annotation && m.Annotated {
		out = append(out, "annotation "+AnnotationMaintenance)
	}
	for _, taint := range m.Taints {
		if slices.ContainsFunc(d.Taints, func(t TaintMatch) bool { return t.Matches(taint) }) {
			out = append(out, "taint "+taint.Key)
		}
	}
	return out
}

// Counts reports whether the policy is the one that counts for a node, if no older one
// does.
func (p *DrainPolicy) Counts(n *NodeSummary) bool {
	return p.Problem == nil && p.Nodes.Matches(n.Labels)
}

// CompareDrainPolicies orders by precedence: of two that select a node, the older counts.
func CompareDrainPolicies(a, b DrainPolicy) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}

// DrainPolicyOf returns the policy that counts for a node, whether or not the node
// drains, and nil for none. The policies may be in any order.
func DrainPolicyOf(policies []DrainPolicy, n *NodeSummary) *DrainPolicy {
	var out *DrainPolicy
	for i := range policies {
		if p := &policies[i]; p.Counts(n) && (out == nil || CompareDrainPolicies(*p, *out) < 0) {
			out = p
		}
	}
	return out
}

// NodeDrain is that a node drains. The zero value is that it doesn't.
type NodeDrain struct {
	// Policy is the name of the DrainPolicy by which it drains.
	Policy string
	// Triggers are those that hold, for people. Without any, the node is only listed
	// still.
	Triggers []string
	// Withdraws is what it withdraws by now, "" for nothing.
	Withdraws Withdrawal
}

// DrainVerdict is what became of one DrainPolicy.
type DrainVerdict struct {
	Policy     string
	Generation int64
	// Selected counts the nodes that its selector matches, Nodes those of them for which
	// it counts.
	Selected, Nodes int
	Findings        []Finding
	// Draining are the nodes that drain by it, sorted by name.
	Draining []DrainingNode
}

// DrainingNode is a node that drains.
type DrainingNode struct {
	Node string
	NodeDrain
}
