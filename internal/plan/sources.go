package plan

import (
	"slices"
	"sort"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// source is one kind of routes that RouteAdvertisements objects ask for. A new kind
// is one file with a type, and a line in newSources. What a source reads of a
// cluster it reads in gather, once for all nodes, and never changes it afterwards.
type source interface {
	// advertisement is what objects ask for it by.
	advertisement() model.Advertisement
	// check says why an object can't have these routes, whatever it selects.
	check(a *advertiser) *model.Problem
	// takes reports whether there may be routes for a network that an object
	// selects, and adds to the object's findings what prevents them.
	takes(a *advertiser, n *model.Network) bool
	// gather reads what the source needs of the cluster. The objects have selected
	// their networks and templates, and it may take networks from them again.
	gather(c *Compiled)
	// touched notes the nodes that what it gathered means something else for than
	// what old did, which is of the same kind.
	touched(c *Compiled, old source, before *Compiled, nodes *touchedNodes)
	// missing says what of the node has to be known first, nil for nothing.
	missing(a *advertiser, n *model.Node) *model.Problem
	// heldBack says why the node gets nothing of a network, nil for no reason.
	heldBack(p *nodePlanner, a *advertiser, n *advertisedNetwork) *model.Finding
	// routes yields those of networks that it takes, on the planner's node, and adds
	// to the part's findings what it left out.
	routes(p *nodePlanner, a *advertiser, networks []*advertisedNetwork, part *model.NodePart) []route
}

// newSources are all kinds of routes. Those who take networks from objects come first.
func newSources() []source {
	return []source{&podNetworks{}, &egressIPs{}}
}

// route is what a source yields for a node, for pods of a network.
type route struct {
	network *advertisedNetwork
	model.Route
}

// ask finds the sources that the object asks for.
func (a *advertiser) ask(sources []source) {
	for _, s := range sources {
		if slices.Contains(a.Advertisements, s.advertisement()) {
			a.sources = append(a.sources, s)
		}
	}
}

// asks reports whether the object asks for a source, and could have routes of it.
func (a *advertiser) asks(s source) bool {
	return slices.Contains(a.sources, s) && !a.idle && len(a.networks) > 0 && len(a.templates) > 0
}

// routes collects what the advertiser's sources yield, sorted by prefix. If it matters to
// the advertiser's rules, it also returns which source each comes from, by its place among
// the advertiser's.
func (p *nodePlanner) routes(a *advertiser, networks []*advertisedNetwork, part *model.NodePart) ([]route, []int) {
	if len(a.templates) == 0 {
		return nil, nil // Its EVPN networks have no routes of sources.
	}
	out := make([]route, 0, 2*len(networks))
	var from []int
	for i, s := range a.sources {
		out = append(out, s.routes(p, a, takenBy(s, networks), part)...)
		if slices.ContainsFunc(a.rules, func(r *policyRule) bool { return r.sources != nil }) {
			from = append(from, slices.Repeat([]int{i}, len(out)-len(from))...)
		}
	}
	// Mostly they are in order already.
	byPrefix := func(x, y route) int { return x.Prefix.Compare(y.Prefix) }
	switch {
	case slices.IsSortedFunc(out, byPrefix):
	case from == nil:
		slices.SortStableFunc(out, byPrefix)
	default:
		sort.Stable(&sourcedRoutes{out, from})
	}
	return out, from
}

// sourcedRoutes are sorted together with where they come from.
type sourcedRoutes struct {
	routes []route
	from   []int
}

func (s *sourcedRoutes) Len() int { return len(s.routes) }

func (s *sourcedRoutes) Less(i, j int) bool {
	return s.routes[i].Prefix.Compare(s.routes[j].Prefix) < 0
}

func (s *sourcedRoutes) Swap(i, j int) {
	s.routes[i], s.routes[j] = s.routes[j], s.routes[i]
	s.from[i], s.from[j] = s.from[j], s.from[i]
}

// takenBy leaves out networks that the source has no routes of.
func takenBy(s source, networks []*advertisedNetwork) []*advertisedNetwork {
	refused := func(n *advertisedNetwork) bool { return slices.Contains(n.refusedBy, s) }
	if !slices.ContainsFunc(networks, refused) {
		return networks
	}
	return slices.DeleteFunc(slices.Clone(networks), refused)
}

// networksOn returns the advertiser's networks that the node has, and adds to the
// part's findings which it left out.
func (p *nodePlanner) networksOn(a *advertiser, part *model.NodePart) []*advertisedNetwork {
	out := make([]*advertisedNetwork, 0, len(a.networks))
	for _, n := range a.networks {
		if !p.active(n) {
			part.Inactive = append(part.Inactive, n.Name)
			continue
		}
		if why := p.heldBack(a, n); why != nil {
			part.Findings = append(part.Findings, *why)
			continue
		}
		out = append(out, n)
	}
	part.Inactive = slices.Clip(part.Inactive)
	if f := p.unreported(a, out); f != nil {
		part.Findings = append(part.Findings, *f)
	}
	return out
}

// unreported finds Layer2 networks that may not be on the node although they are
// advertised from it: OVN-Kubernetes itself does not write where it sets them up.
func (p *nodePlanner) unreported(a *advertiser, networks []*advertisedNetwork) *model.Finding {
	if !p.cluster.DynamicAllocation || !a.advertisesPods() || p.node.Layer2.Known || p.node.Layer2Active != nil {
		return nil
	}
	var names []string
	for _, n := range networks {
		if !n.hasHostSubnets() {
			names = append(names, n.DisplayName())
		}
	}
	if len(names) == 0 {
		return nil
	}
	f := finding.Layer2NotReported(names)
	return &f
}

// heldBack asks the advertiser's sources.
func (p *nodePlanner) heldBack(a *advertiser, n *advertisedNetwork) *model.Finding {
	for _, s := range a.sources {
		if why := s.heldBack(p, a, n); why != nil {
			return why
		}
	}
	return nil
}

// active reports whether the network is set up on the node, as far as the
// node or its agent says. Networks may be active on some nodes only: with
// dynamic allocation, OVN-Kubernetes sets a network up where pods of it run.
func (p *nodePlanner) active(n *advertisedNetwork) bool {
	if !n.hasHostSubnets() {
		return !p.node.Layer2.Absent[n.Name] && (p.node.Layer2Active == nil || p.node.Layer2Active[n.Name])
	}
	return p.node.SubnetsProblem != nil || len(p.node.Subnets[n.Name]) > 0
}
