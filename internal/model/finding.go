package model

import (
	"cmp"
	"fmt"
)

// Outcome is what has to happen before a finding goes away.
type Outcome int

// The three outcomes that block something, after the one that doesn't.
const (
	// Notice blocks nothing: it is only reported.
	Notice Outcome = iota
	// Pending waits for something that is not there yet.
	Pending
	// Invalid waits for a user to change an object.
	Invalid
	// Retryable is an error of the machinery; the operator tries again.
	Retryable
)

// String returns the outcome's name.
func (o Outcome) String() string {
	switch o {
	case Notice:
		return "Notice"
	case Pending:
		return "Pending"
	case Invalid:
		return "Invalid"
	case Retryable:
		return "Retryable"
	default:
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
}

// ScopeKind is the kind of thing that a finding concerns.
type ScopeKind string

// The scopes of findings, from wide to narrow.
const (
	ScopeRouteAdvertisements ScopeKind = "RouteAdvertisements"
	ScopeNetwork             ScopeKind = "Network"
	ScopeTemplate            ScopeKind = "FRRConfiguration"
	ScopeNode                ScopeKind = "Node"
	ScopeNeighbor            ScopeKind = "Neighbor"
	ScopeEgressIP            ScopeKind = "EgressIP"
	ScopeRoutePolicy         ScopeKind = "RoutePolicy"
	ScopeDrainPolicy         ScopeKind = "DrainPolicy"
)

// Scope names the thing that a finding concerns. Only that thing is left out because
// of the finding; all the rest is planned.
type Scope struct {
	Kind ScopeKind
	Name string
}

// String returns the scope as people write it.
func (s Scope) String() string { return string(s.Kind) + " " + s.Name }

// Finding is something that the planner reports. It is comparable: the same one on
// many nodes is one finding. Package finding makes it, from its catalogue.
type Finding struct {
	Outcome Outcome
	Scope   Scope
	// Reason is the name of an entry of the catalogue, a CamelCase word for machines.
	Reason string
	// Message says what is wrong, with which object, and what to do about it.
	Message string
}

// Compare puts what is worse first.
func (f Finding) Compare(other Finding) int {
	return cmp.Or(
		-cmp.Compare(f.Outcome, other.Outcome),
		cmp.Compare(f.Scope.Kind, other.Scope.Kind), cmp.Compare(f.Scope.Name, other.Scope.Name),
		cmp.Compare(f.Reason, other.Reason), cmp.Compare(f.Message, other.Message))
}

// Blocks reports whether something was left out because of the finding.
func (f Finding) Blocks() bool { return f.Outcome != Notice }
