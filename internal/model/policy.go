package model

import (
	"net/netip"
	"time"
)

// MaxPolicyRules is how many rules a policy may have: PolicyPart has a bit for each.
const MaxPolicyRules = 64

// RoutePolicy is one RoutePolicy object.
type RoutePolicy struct {
	Name       string
	Created    time.Time
	Generation int64
	// Targets are the names of RouteAdvertisements objects, sorted.
	Targets []string
	// Rules are in order, at most MaxPolicyRules.
	Rules   []PolicyRule
	Problem *Problem
}

// PolicyRule is a rule of a RoutePolicy.
type PolicyRule struct {
	Match PolicyMatch
	// Set are the attributes that matched routes get.
	Set Attributes
	// Suppress is set if they are not advertised at all.
	Suppress bool
}

// PolicyMatch is what all has to match of a route; what is empty matches every route.
type PolicyMatch struct {
	Networks Selector
	Nodes    Selector
	// Neighbors are addresses as netip writes them, or interfaces; sorted.
	Neighbors []string
	// Prefixes are those of which one has to match.
	Prefixes []PrefixMatch
	// Kinds are sorted.
	Kinds []Advertisement
}

// Matches reports whether the prefix is the match's own, or one of those within it
// whose length it allows.
func (m PrefixMatch) Matches(prefix netip.Prefix) bool {
	if m.GE == 0 && m.LE == 0 {
		return m.Prefix == prefix
	}
	longest := m.LE
	if longest == 0 {
		longest = m.Prefix.Addr().BitLen()
	}
	return prefix.Bits() >= max(m.GE, m.Prefix.Bits()) && prefix.Bits() <= longest && m.Prefix.Contains(prefix.Addr())
}

// PolicyPart is what a policy does for a RouteAdvertisements object on a node.
type PolicyPart struct {
	Policy string
	// Matched has a bit for each rule that matches a route.
	Matched uint64
	// Findings are those of the policy there.
	Findings []Finding
}

// PolicyTally counts the nodes of a policy's target.
type PolicyTally struct {
	// Selected are the target's nodes on which a rule matches a route; of these Rendered
	// in all.
	Selected, Rendered int
	// Matched has a bit for each rule that matches a route on some node.
	Matched uint64
	// NodeFindings are grouped: one per reason and message, with its nodes.
	NodeFindings []NodeFinding
}

// PolicyVerdict is what became of one RoutePolicy.
type PolicyVerdict struct {
	Policy     string
	Generation int64
	// Ancestors has one entry per target, sorted.
	Ancestors []PolicyAncestor
	// Behind counts the nodes that are still to be planned.
	Behind int
	// ObserveOnly is set where what is planned is told and not written.
	ObserveOnly bool
}

// PolicyAncestor is what became of a policy for one target.
type PolicyAncestor struct {
	RA string
	// Findings that concern the target as a whole; those of nodes are in Tally.
	Findings []Finding
	Tally    PolicyTally
}
