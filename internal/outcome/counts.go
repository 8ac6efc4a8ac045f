package outcome

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// maxNodesPerFinding is how many nodes a tally names for one finding.
const maxNodesPerFinding = 20

// Counts are how the nodes of every RouteAdvertisements object fare. One node's change
// costs that node's parts.
type Counts struct {
	nodes map[string][]model.NodePart
	byRA  map[string]*tally
}

type tally struct {
	counts   model.Tally
	findings map[model.Finding]map[string]bool
	failed   map[model.Finding]map[string]bool
	// inactive counts the nodes on which a network is not set up.
	inactive map[string]int
	// advertising counts the nodes that advertise a network's pods, and unknown those
	// that may do so: see model.Advertising.
	advertising map[string]int
	unknown     int
	policies    map[string]*policyTally
}

// Change is what another outcome of a node means for RouteAdvertisements objects, each
// list sorted.
type Change struct {
	// Tallies are the objects whose tally changed.
	Tallies []string
	// Advertising are those for which some network came to be advertised by a first
	// node or by none any more, or which may be known only now.
	Advertising []string
}

// NewCounts returns counts without nodes.
func NewCounts() *Counts {
	return &Counts{nodes: map[string][]model.NodePart{}, byRA: map[string]*tally{}}
}

// Set replaces a node's parts.
func (t *Counts) Set(node string, parts []model.NodePart) Change {
	kept := make([]model.NodePart, len(parts))
	for i := range parts {
		kept[i] = parts[i]
		// Only the counts are needed, and 5,000 nodes have a million prefixes.
		kept[i].Advertised, kept[i].Marked, kept[i].Raw, kept[i].Tunnels, kept[i].VTEPs = nil, nil, nil, nil, nil
	}
	change := t.replace(node, kept)
	t.nodes[node] = kept
	return change
}

// Remove forgets a node.
func (t *Counts) Remove(node string) Change {
	change := t.replace(node, nil)
	delete(t.nodes, node)
	return change
}

func (t *Counts) replace(node string, parts []model.NodePart) Change {
	old := t.nodes[node]
	change := Change{Tallies: changedParts(old, parts)}
	// In this order a network that stays advertised is never counted as gone.
	change.Advertising = append(t.countAdvertising(parts, old, +1), t.countAdvertising(old, parts, -1)...)
	slices.Sort(change.Advertising)
	change.Advertising = slices.Compact(change.Advertising)
	t.count(node, old, -1)
	t.count(node, parts, +1)
	for i := range old {
		if t.byRA[old[i].RA].counts.Selected == 0 {
			delete(t.byRA, old[i].RA)
		}
	}
	return change
}

// Advertising counts the nodes that advertise a network's pods for an object.
func (t *Counts) Advertising(ra, network string) model.Advertising {
	counted := t.byRA[ra]
	if counted == nil {
		return model.Advertising{}
	}
	return model.Advertising{Nodes: counted.advertising[network], Unknown: counted.unknown}
}

// Tally returns the counts of one object. The lists of nodes are cut.
func (t *Counts) Tally(ra string) model.Tally {
	counted := t.byRA[ra]
	if counted == nil {
		return model.Tally{}
	}
	out := counted.counts
	out.NodeFindings = groupFindings(counted.findings)
	out.FRRFindings = groupFindings(counted.failed)
	for network, nodes := range counted.inactive {
		if nodes == out.Selected {
			out.Nowhere = append(out.Nowhere, network)
		}
	}
	slices.Sort(out.Nowhere)
	return out
}

func changedParts(a, b []model.NodePart) []string {
	var changed []string
	for _, pair := range [2][2][]model.NodePart{{a, b}, {b, a}} {
		for i := range pair[0] {
			part := &pair[0][i]
			j := slices.IndexFunc(pair[1], func(other model.NodePart) bool { return other.RA == part.RA })
			if j < 0 || !samePart(part, &pair[1][j]) {
				changed = append(changed, part.RA)
			}
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed)
}

func samePart(a, b *model.NodePart) bool {
	return a.State == b.State && slices.Equal(a.Inactive, b.Inactive) && a.Failure == b.Failure && slices.Equal(a.Findings, b.Findings) && slices.EqualFunc(a.Policies, b.Policies, samePolicy)
}

// of returns the tally of an object.
func (t *Counts) of(ra string) *tally {
	counted := t.byRA[ra]
	if counted == nil {
		counted = &tally{
			findings: map[model.Finding]map[string]bool{}, failed: map[model.Finding]map[string]bool{},
			inactive: map[string]int{}, advertising: map[string]int{}, policies: map[string]*policyTally{},
		}
		t.byRA[ra] = counted
	}
	return counted
}

// count adds a node's parts to the tallies, or takes them away.
func (t *Counts) count(node string, parts []model.NodePart, sign int) {
	for i := range parts {
		part := &parts[i]
		counted := t.of(part.RA)
		counted.counts.Selected += sign
		counted.countInactive(part.Inactive, sign)
		*counted.stateCount(part.State) += sign
		counted.countWithin(node, part, sign)
		counted.countPolicies(node, part, sign)
		for _, f := range part.Findings {
			tick(counted.findings, f, node, sign)
		}
	}
}

func (t *tally) countInactive(networks []string, sign int) {
	t.counts.Inactive += sign * len(networks)
	for _, network := range networks {
		if t.inactive[network] += sign; t.inactive[network] == 0 {
			delete(t.inactive, network)
		}
	}
}

func (t *tally) stateCount(s model.PartState) *int {
	switch s {
	case model.PartHeldBack, model.PartRefused, model.PartKept:
		return &t.counts.Blocked
	case model.PartNoTemplate:
		return &t.counts.NoTemplate
	default:
		if s.Rendered() {
			return &t.counts.Rendered
		}
		return &t.counts.Idle
	}
}

// countWithin counts the states that others contain: what is kept is blocked, and what
// FRR has was rendered.
func (t *tally) countWithin(node string, part *model.NodePart, sign int) {
	switch part.State {
	case model.PartKept:
		t.counts.Kept += sign
	case model.PartPlanned, model.PartWritten:
		t.counts.ConfiguredUnknown += sign
	case model.PartConfigured:
		t.counts.Configured += sign
	case model.PartFailed:
		tick(t.failed, part.Failure, node, sign)
	default:
	}
}

func tick(groups map[model.Finding]map[string]bool, f model.Finding, node string, sign int) {
	if sign > 0 {
		if groups[f] == nil {
			groups[f] = map[string]bool{}
		}
		groups[f][node] = true
		return
	}
	delete(groups[f], node)
	if len(groups[f]) == 0 {
		delete(groups, f)
	}
}

// groupFindings names the first nodes of each finding, sorted.
func groupFindings(groups map[model.Finding]map[string]bool) []model.NodeFinding {
	var out []model.NodeFinding
	for f, nodes := range groups {
		out = append(out, model.NodeFinding{Finding: f, Nodes: firstNames(nodes, maxNodesPerFinding), Count: len(nodes)})
	}
	slices.SortFunc(out, func(a, b model.NodeFinding) int { return a.Finding.Compare(b.Finding) })
	return out
}

// firstNames returns the first names in order without sorting them all.
func firstNames(names map[string]bool, limit int) []string {
	out := make([]string, 0, limit+1)
	for name := range names {
		i, _ := slices.BinarySearch(out, name)
		if i >= limit {
			continue
		}
		out = slices.Insert(out, i, name)
		if len(out) > limit {
			out = out[:limit]
		}
	}
	return out
}
