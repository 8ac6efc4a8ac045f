package finding

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Reason is an entry of the catalogue: what its findings have in common.
type Reason struct {
	// Name is a CamelCase word for machines.
	Name string
	// Outcomes that its findings may have, the usual one first.
	Outcomes []model.Outcome
	// Scopes are the kinds of things that its findings concern, the usual one first.
	Scopes []model.ScopeKind
	// Meaning and Remedy are sentences for people who look the reason up.
	Meaning, Remedy string
}

// catalogue has every reason, because there is no other way to make one.
var catalogue []*Reason

// The outcomes of most reasons.
var (
	notice    = []model.Outcome{model.Notice}
	pending   = []model.Outcome{model.Pending}
	invalid   = []model.Outcome{model.Invalid}
	retryable = []model.Outcome{model.Retryable}
)

// The scopes of most reasons.
var (
	ofObject   = []model.ScopeKind{model.ScopeRouteAdvertisements}
	ofNetwork  = []model.ScopeKind{model.ScopeNetwork}
	ofTemplate = []model.ScopeKind{model.ScopeTemplate}
	ofNeighbor = []model.ScopeKind{model.ScopeNeighbor}
	ofNode     = []model.ScopeKind{model.ScopeNode}
	ofEgressIP = []model.ScopeKind{model.ScopeEgressIP}
)

// enter puts a reason into the catalogue.
func enter(name string, outcomes []model.Outcome, scopes []model.ScopeKind, meaning, remedy string) *Reason {
	r := &Reason{Name: name, Outcomes: outcomes, Scopes: scopes, Meaning: meaning, Remedy: remedy}
	catalogue = append(catalogue, r)
	return r
}

// Catalogue returns all reasons, sorted by name.
func Catalogue() []Reason {
	out := make([]Reason, 0, len(catalogue))
	for _, r := range catalogue {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Reason) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Is reports whether the finding has this reason.
func (r *Reason) Is(f model.Finding) bool { return f.Reason == r.Name }

// about makes a finding of the usual outcome about something by name.
func (r *Reason) about(name, format string, args ...any) model.Finding {
	return r.in(model.Scope{Kind: r.Scopes[0], Name: name}, format, args...)
}

// in makes a finding of the usual outcome.
func (r *Reason) in(scope model.Scope, format string, args ...any) model.Finding {
	return model.Finding{Outcome: r.Outcomes[0], Scope: scope, Reason: r.Name, Message: fmt.Sprintf(format, args...)}
}

// onNode makes a finding about a node without its name: the same finding on many
// nodes is one finding, and whoever reports it knows the nodes.
func (r *Reason) onNode(format string, args ...any) model.Finding {
	return r.in(model.Scope{Kind: model.ScopeNode}, format, args...)
}

// problem makes what becomes a finding in the scope of the input that has it.
func (r *Reason) problem(format string, args ...any) *model.Problem {
	return &model.Problem{Outcome: r.Outcomes[0], Reason: r.Name, Message: fmt.Sprintf(format, args...)}
}

// with gives a finding another than the usual outcome of its reason.
func with(outcome model.Outcome, f model.Finding) model.Finding {
	f.Outcome = outcome
	return f
}

// named is how messages call a VRF.
func named(vrf string) string { return cmp.Or(vrf, model.DefaultVRF) }
