package outcome

import (
	"math/bits"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// policyTally counts the nodes of a policy's target.
type policyTally struct {
	// nodes are those with rules of the policy, selected and rendered those of them on
	// which a rule matches a route, and on which that is rendered.
	nodes, selected, rendered int
	// matched counts the nodes by rule.
	matched  [model.MaxPolicyRules]int
	findings map[model.Finding]map[string]bool
}

func (t *tally) countPolicies(node string, part *model.NodePart, sign int) {
	for i := range part.Policies {
		policy := &part.Policies[i]
		counted := t.policies[policy.Policy]
		if counted == nil {
			counted = &policyTally{findings: map[model.Finding]map[string]bool{}}
			t.policies[policy.Policy] = counted
		}
		counted.nodes += sign
		if policy.Matched != 0 {
			counted.selected += sign
			whole := !slices.ContainsFunc(policy.Findings, model.Finding.Blocks)
			if whole && (part.State.Rendered() || part.State == model.PartIdle) {
				counted.rendered += sign
			}
		}
		for rest := policy.Matched; rest != 0; rest &= rest - 1 {
			counted.matched[bits.TrailingZeros64(rest)] += sign
		}
		for _, f := range policy.Findings {
			tick(counted.findings, f, node, sign)
		}
		if counted.nodes == 0 {
			delete(t.policies, policy.Policy)
		}
	}
}

// Policy returns the counts of a policy for one of its targets. The lists of nodes are cut.
func (t *Counts) Policy(policy, ra string) model.PolicyTally {
	var out model.PolicyTally
	if t.byRA[ra] == nil || t.byRA[ra].policies[policy] == nil {
		return out
	}
	counted := t.byRA[ra].policies[policy]
	out.Selected, out.Rendered, out.NodeFindings = counted.selected, counted.rendered, groupFindings(counted.findings)
	for rule, nodes := range counted.matched {
		if nodes > 0 {
			out.Matched |= 1 << rule
		}
	}
	return out
}

func samePolicy(a, b model.PolicyPart) bool {
	return a.Policy == b.Policy && a.Matched == b.Matched && slices.Equal(a.Findings, b.Findings)
}
