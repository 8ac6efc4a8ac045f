package preview

import (
	"io"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// maxNodesShown is how many nodes a finding names; --node shows the others.
const maxNodesShown = 10

// placed is a finding with where it applies.
type placed struct {
	model.Finding
	// ra is the RouteAdvertisements object, "" for findings about none.
	ra string
	// nodes is empty where the finding is not about nodes.
	nodes []string
}

// findings are those of the RouteAdvertisements and of the nodes shown, the
// ones that block first.
func (p *Preview) findings() []placed {
	var out []placed
	for i := range p.Plan.Verdicts {
		verdict := &p.Plan.Verdicts[i]
		if verdict.StandAside != "" {
			out = append(out, placed{ra: verdict.RA, Finding: finding.StandingAside(verdict.RA, verdict.StandAside, verdict.LeftFor)})
		}
		for _, f := range verdict.Findings {
			out = append(out, placed{Finding: f, ra: verdict.RA})
		}
		out = append(out, p.nodeFindings(verdict)...)
	}
	for i := range p.Plan.Policies {
		policy := &p.Plan.Policies[i]
		for _, ancestor := range policy.Ancestors {
			for _, f := range ancestor.Findings {
				out = append(out, placed{Finding: f, ra: ancestor.RA})
			}
			out = append(out, p.policyFindings(policy.Policy, ancestor.RA)...)
		}
	}
	for i := range p.Plan.Drains {
		for _, f := range p.Plan.Drains[i].Findings {
			out = append(out, placed{Finding: f})
		}
	}
	slices.SortStableFunc(out, func(a, b placed) int { return rank(a.Outcome) - rank(b.Outcome) })
	return out
}

func rank(o model.Outcome) int {
	return slices.Index([]model.Outcome{model.Invalid, model.Pending, model.Retryable, model.Notice}, o)
}

// BlockedSince are, for people, the findings that keep something from being planned now
// and did not before.
func (p *Preview) BlockedSince(before *Preview) []string {
	var out []string
	known := before.findings()
	for _, f := range p.findings() {
		if !f.Blocks() {
			continue
		}
		at := slices.IndexFunc(known, func(k placed) bool { return k.Finding == f.Finding && k.ra == f.ra })
		if at >= 0 && !slices.ContainsFunc(f.nodes, func(node string) bool { return !slices.Contains(known[at].nodes, node) }) {
			continue
		}
		out = append(out, f.subject()+": "+phrase.Line(f.Message))
	}
	return out
}

// nodeFindings are those of an object on nodes.
func (p *Preview) nodeFindings(verdict *model.Verdict) []placed {
	// Then the verdict itself reports it.
	everywhere := verdict.Tally.NoTemplate == verdict.Tally.Selected
	return p.onNodes(verdict.RA, func(part *model.NodePart) []model.Finding {
		if !everywhere {
			return part.Findings
		}
		return slices.DeleteFunc(slices.Clone(part.Findings), finding.IsNodeWithoutTemplate)
	})
}

// policyFindings are those of a policy for one of its targets on nodes.
func (p *Preview) policyFindings(policy, ra string) []placed {
	return p.onNodes(ra, func(part *model.NodePart) []model.Finding {
		i := slices.IndexFunc(part.Policies, func(p model.PolicyPart) bool { return p.Policy == policy })
		if i < 0 {
			return nil
		}
		return part.Policies[i].Findings
	})
}

// onNodes groups what nodes have in common, in the order of nodes.
func (p *Preview) onNodes(ra string, of func(*model.NodePart) []model.Finding) []placed {
	var out []placed
	index := map[model.Finding]int{}
	for i := range p.Plan.Nodes {
		node := &p.Plan.Nodes[i]
		for j := range node.Parts {
			if node.Parts[j].RA != ra {
				continue
			}
			for _, f := range of(&node.Parts[j]) {
				at, found := index[f]
				if !found {
					at = len(out)
					index[f] = at
					out = append(out, placed{Finding: f, ra: ra})
				}
				out[at].nodes = append(out[at].nodes, node.Node)
			}
		}
	}
	return out
}

// Findings prints what could not be planned, and why; nothing where all is
// well.
func (p *Preview) Findings(w io.Writer) error {
	out := &printer{w: w}
	for i, f := range p.findings() {
		if i == 0 {
			out.printf("FINDINGS\n")
		}
		out.printf("%s: %s: %s\n    %s\n", f.Outcome, f.subject(), f.Reason, phrase.Line(f.Message))
	}
	return out.err
}

// subject names the thing that the finding concerns, and its owner and place unless
// they are the same.
func (f *placed) subject() string {
	subject := strings.TrimSpace(f.Scope.String())
	var around []string
	if f.ra != "" && f.Scope != (model.Scope{Kind: model.ScopeRouteAdvertisements, Name: f.ra}) {
		around = append(around, "RouteAdvertisements "+f.ra)
	}
	switch {
	case len(f.nodes) == 0 || f.Scope == model.Scope{Kind: model.ScopeNode, Name: f.nodes[0]}:
	case f.Scope == model.Scope{Kind: model.ScopeNode}:
		// The planner leaves the name out where nodes have a finding in common.
		subject = plural("Node", len(f.nodes)) + " " + phrase.List(f.nodes, maxNodesShown)
	default:
		around = append(around, plural("node", len(f.nodes))+" "+phrase.List(f.nodes, maxNodesShown))
	}
	if len(around) == 0 {
		return subject
	}
	return subject + " (" + strings.Join(around, ", ") + ")"
}

func plural(word string, count int) string {
	if count == 1 {
		return word
	}
	return word + "s"
}
