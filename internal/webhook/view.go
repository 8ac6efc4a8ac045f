package webhook

import (
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

const (
	// maxPlanned bounds what a review costs: planning a node with 200 networks
	// takes a fifth of a millisecond.
	maxPlanned = 40
	// maxNodesShown is how many nodes a warning names.
	maxNodesShown = 3
)

// view is the cluster as the planner sees it, with a change or without.
type view struct {
	cluster  model.Cluster
	compiled *plan.Compiled
	reader   *snapshot.NodeReader
	nodes    []corev1.Node
}

func compile(objects *snapshot.Objects, settings model.Settings) *view {
	v := &view{cluster: snapshot.Cluster(objects, settings), reader: snapshot.NewNodeReader(objects, settings), nodes: objects.Nodes}
	v.compiled = plan.Compile(&v.cluster)
	return v
}

// trouble is a finding of one RouteAdvertisements object, or of a DrainPolicy.
type trouble struct {
	model.Finding
	// ra is "" if it is about a DrainPolicy.
	ra string
	// policy is the RoutePolicy that it is about, "" if it is about the object.
	policy string
	// nodes are the first few that have it, if it concerns nodes.
	nodes []string
}

// drainPolicy is the DrainPolicy that it is about, "" if it is about something else.
func (t *trouble) drainPolicy() string {
	if t.Scope.Kind != model.ScopeDrainPolicy {
		return ""
	}
	return t.Scope.Name
}

// troubleKey identifies a trouble. The message can't: it names and counts other
// objects, so it changes with things that have nothing to do with the trouble.
type troubleKey struct {
	ra      string
	outcome model.Outcome
	scope   model.Scope
	reason  string
}

// troubles are all findings, those of the given nodes included.
func (v *view) troubles(nodes []*corev1.Node) map[troubleKey]*trouble {
	out := troubles{}
	parts := v.parts(nodes)
	for _, ra := range v.compiled.RouteAdvertisements() {
		reached := parts[ra]
		verdict := v.compiled.Verdict(ra, model.Tally{Selected: max(v.selected(ra), len(reached))})
		if verdict.StandAside != "" {
			continue
		}
		for _, f := range verdict.Findings {
			out.add("", ra, f, "")
		}
		without := 0
		for _, p := range reached {
			if p.State == model.PartNoTemplate {
				without++
			}
		}
		for _, p := range reached {
			for _, f := range p.Findings {
				if !finding.IsNodeWithoutTemplate(f) || without < len(reached) {
					out.add("", ra, f, p.node)
				}
			}
		}
		if without > 0 && without == len(reached) {
			out.add("", ra, finding.NoTemplateOnReviewedNodes(ra), "")
		}
	}
	v.addOfPolicies(out, parts)
	for _, drain := range v.compiled.DrainPolicies() {
		for _, f := range v.compiled.DrainVerdict(drain).Findings {
			out[troubleKey{"", f.Outcome, f.Scope, f.Reason}] = &trouble{Finding: f}
		}
	}
	return out
}

// addOfPolicies adds the findings of RoutePolicies.
func (v *view) addOfPolicies(out troubles, parts map[string][]nodePart) {
	for _, policy := range v.compiled.Policies() {
		for _, ancestor := range v.compiled.PolicyVerdict(policy, v.policyTally(parts)).Ancestors {
			for _, f := range ancestor.Findings {
				out.add(policy, ancestor.RA, f, "")
			}
			for _, p := range parts[ancestor.RA] {
				for _, f := range findingsOf(policy, &p.NodePart) {
					out.add(policy, ancestor.RA, f, p.node)
				}
			}
		}
	}
}

// troubles are findings by what identifies them.
type troubles map[troubleKey]*trouble

// add adds a finding of an object, or of a policy for it, and one of the nodes that have
// it, if it is theirs.
func (s troubles) add(policy, ra string, f model.Finding, node string) {
	key := troubleKey{ra, f.Outcome, f.Scope, f.Reason}
	t := s[key]
	if t == nil {
		t = &trouble{Finding: f, ra: ra, policy: policy}
		s[key] = t
	}
	if node != "" && len(t.nodes) < maxNodesShown {
		t.nodes = append(t.nodes, node)
	}
}

// policyTally counts which rules match a route of the planned nodes. If these are not all
// nodes, the others may have routes for the rest.
func (v *view) policyTally(parts map[string][]nodePart) func(policy, ra string) model.PolicyTally {
	return func(policy, ra string) model.PolicyTally {
		if v.selected(ra) > len(parts[ra]) {
			return model.PolicyTally{Matched: math.MaxUint64}
		}
		var out model.PolicyTally
		for _, p := range parts[ra] {
			for _, part := range p.Policies {
				if part.Policy == policy {
					out.Matched |= part.Matched
				}
			}
		}
		return out
	}
}

func findingsOf(policy string, part *model.NodePart) []model.Finding {
	for i := range part.Policies {
		if part.Policies[i].Policy == policy {
			return part.Policies[i].Findings
		}
	}
	return nil
}

// nodePart is a RouteAdvertisements object's part of a node's plan.
type nodePart struct {
	model.NodePart
	node string
}

// parts plans nodes and returns what became of each RouteAdvertisements object.
func (v *view) parts(nodes []*corev1.Node) map[string][]nodePart {
	out := map[string][]nodePart{}
	for _, n := range nodes {
		node := v.reader.Node(n)
		planned := v.compiled.Node(&node, nil)
		for _, part := range planned.Parts {
			out[part.RA] = append(out[part.RA], nodePart{part, n.Name})
		}
	}
	return out
}

// selected counts the nodes that the object's nodeSelector matches.
func (v *view) selected(ra string) int {
	i := slices.IndexFunc(v.cluster.RouteAdvertisements, func(a model.RouteAdvertisement) bool { return a.Name == ra })
	count := 0
	for j := range v.cluster.Hosts {
		if v.cluster.RouteAdvertisements[i].NodeSelector.Matches(v.cluster.Hosts[j].Labels) {
			count++
		}
	}
	return count
}

// sampleNodes picks nodes to plan, of those whose plan the change may alter:
// first one of each kind, then a second one, and so on. Nodes are of a kind
// where the same selectors match them.
func sampleNodes(before, after *view) []*corev1.Node {
	all, names := after.compiled.Affected(before.compiled)
	affected := make(map[string]bool, len(names))
	for _, name := range names {
		affected[name] = true
	}
	selectors := after.selectors()
	index := map[string]int{}
	var kinds [][]*corev1.Node
	for i := range after.nodes {
		n := &after.nodes[i]
		if !all && !affected[n.Name] {
			continue
		}
		kind := make([]byte, len(selectors))
		for j, s := range selectors {
			if s.Matches(n.Labels) {
				kind[j] = 1
			}
		}
		at, known := index[string(kind)]
		if !known {
			at = len(kinds)
			index[string(kind)] = at
			kinds = append(kinds, nil)
		}
		kinds[at] = append(kinds[at], n)
	}
	for _, nodes := range kinds {
		slices.SortFunc(nodes, func(a, b *corev1.Node) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
	}
	return takeInTurn(kinds, maxPlanned)
}

// takeInTurn takes the first of each list, then the second of each, and so on.
func takeInTurn[T any](lists [][]T, most int) []T {
	var out []T
	for round := 0; len(out) < most; round++ {
		before := len(out)
		for _, list := range lists {
			if round < len(list) && len(out) < most {
				out = append(out, list[round])
			}
		}
		if len(out) == before {
			break
		}
	}
	return out
}

// selectors are those by which nodes differ. Templates for one node each, as
// MetalLB writes them, make each node its own kind, and are left out.
func (v *view) selectors() []model.Selector {
	var out []model.Selector
	for i := range v.cluster.RouteAdvertisements {
		if s := v.cluster.RouteAdvertisements[i].NodeSelector; !s.Empty() {
			out = append(out, s)
		}
	}
	for i := range v.cluster.Policies {
		for j := range v.cluster.Policies[i].Rules {
			if s := v.cluster.Policies[i].Rules[j].Match.Nodes; !s.Empty() {
				out = append(out, s)
			}
		}
	}
	for i := range v.cluster.Drains {
		if s := v.cluster.Drains[i].Nodes; !s.Empty() {
			out = append(out, s)
		}
	}
	for i := range v.cluster.Templates {
		s := v.cluster.Templates[i].NodeSelector
		pinned := slices.ContainsFunc(s, func(r model.Requirement) bool {
			return r.Key == model.LabelHostname && r.Operator == model.SelectorIn
		})
		if !s.Empty() && !pinned {
			out = append(out, s)
		}
	}
	return out
}
