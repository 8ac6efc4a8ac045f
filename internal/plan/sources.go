package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// route is a prefix that a source yields for a node.
type route struct {
	network *advertisedNetwork
	prefix  netip.Prefix
}

// source yields the routes of networks on the planner's node. A new kind of
// prefix is a new source.
type source func(p *nodePlanner, networks []*advertisedNetwork) []route

// sources are what the advertiser asks for.
func (a *advertiser) sources() []source {
	var out []source
	if a.pods {
		out = append(out, podNetworkRoutes)
	}
	if a.egressIPs {
		out = append(out, egressIPRoutes)
	}
	return out
}

// routes collects what the advertiser's sources yield, sorted by prefix.
func (p *nodePlanner) routes(a *advertiser, networks []*advertisedNetwork) []route {
	out := make([]route, 0, 2*len(networks))
	for _, routesOf := range a.sources() {
		out = append(out, routesOf(p, networks)...)
	}
	slices.SortFunc(out, func(x, y route) int { return x.prefix.Compare(y.prefix) })
	return out
}

// podNetworkRoutes yields the node's part of Layer3 networks and of the
// default one, and whole Layer2 networks, which every node can reach.
func podNetworkRoutes(p *nodePlanner, networks []*advertisedNetwork) []route {
	out := make([]route, 0, len(networks))
	for _, n := range networks {
		if !n.hasHostSubnets() {
			for _, subnet := range n.Subnets {
				out = append(out, route{n, subnet.Prefix})
			}
			continue
		}
		for _, prefix := range p.node.Subnets[n.Name] {
			out = append(out, route{n, prefix})
		}
	}
	return out
}

// egressIPRoutes yields the egress IPs on the node that serve the networks.
func egressIPRoutes(p *nodePlanner, networks []*advertisedNetwork) []route {
	var out []route
	for _, e := range p.egress[p.node.Name] {
		i := slices.IndexFunc(networks, func(n *advertisedNetwork) bool { return n.Name == e.network && !n.withoutEgressIPs })
		if i >= 0 {
			out = append(out, route{networks[i], e.prefix})
		}
	}
	return out
}

// networksOn returns the advertiser's networks that the node has, and tells in
// the part which it left out.
func (p *nodePlanner) networksOn(a *advertiser, part *model.NodePart) []*advertisedNetwork {
	out := make([]*advertisedNetwork, 0, len(a.networks))
	for _, n := range a.networks {
		if !p.active(n) {
			part.Inactive = append(part.Inactive, n.Name)
			continue
		}
		if clash, held := p.shadows(a.originVRF(n))[n.Name]; held && a.pods {
			part.Findings = append(part.Findings, model.Finding{
				Outcome: model.Invalid, Scope: model.Scope{Kind: model.ScopeNetwork, Name: n.DisplayName()},
				Reason: "SubnetsOverlap", Message: clash.explain(n.DisplayName(), a.originVRF(n)),
			})
			continue
		}
		out = append(out, n)
	}
	part.Inactive = slices.Clip(part.Inactive)
	return out
}

// active reports whether the network is set up on the node, as far as the
// node or its agent tells. Networks may be active on some nodes only: with
// dynamic allocation, OVN-Kubernetes sets a network up where pods of it run.
func (p *nodePlanner) active(n *advertisedNetwork) bool {
	if !n.hasHostSubnets() {
		return !p.node.Layer2Absent[n.Name] && (p.node.Layer2Active == nil || p.node.Layer2Active[n.Name])
	}
	return p.node.SubnetsProblem != nil || len(p.node.Subnets[n.Name]) > 0
}

// shadows finds the networks of a VRF that overlap the default network's part
// on this node; the default network was there first.
func (p *nodePlanner) shadows(vrf string) map[string]overlap {
	if held, known := p.shadowed[vrf]; known {
		return held
	}
	held := map[string]overlap{}
	space := p.spaces[vrf]
	if space != nil && space.defaultNetwork != nil {
		for _, prefix := range p.node.Subnets[model.DefaultNetwork] {
			if other, found := space.find(prefix); found && !other.network.IsDefault() {
				held[other.network.Name] = overlap{other.prefix, prefix, space.defaultNetwork}
			}
		}
	}
	if p.shadowed == nil {
		p.shadowed = map[string]map[string]overlap{}
	}
	p.shadowed[vrf] = held
	return held
}
