package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// route is what a source yields for a node, for pods of a network.
type route struct {
	network *advertisedNetwork
	model.Route
}

// source yields the routes of networks on the planner's node, and tells in the
// part what it left out. A new kind of prefix is a new source.
type source func(p *nodePlanner, a *advertiser, networks []*advertisedNetwork, part *model.NodePart) []route

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
func (p *nodePlanner) routes(a *advertiser, networks []*advertisedNetwork, part *model.NodePart) []route {
	out := make([]route, 0, 2*len(networks))
	for _, routesOf := range a.sources() {
		out = append(out, routesOf(p, a, networks, part)...)
	}
	slices.SortFunc(out, func(x, y route) int { return x.Prefix.Compare(y.Prefix) })
	return out
}

// podNetworkRoutes yields the node's part of Layer3 networks and of the
// default one, and whole Layer2 networks, which every node can reach.
func podNetworkRoutes(p *nodePlanner, a *advertiser, networks []*advertisedNetwork, part *model.NodePart) []route {
	out := make([]route, 0, len(networks))
	add := func(n *advertisedNetwork, prefix netip.Prefix) {
		if why := p.refuse(n.Network, a.originVRF(n), prefix); why != nil {
			part.Findings = append(part.Findings, model.Finding{
				Outcome: model.Invalid, Scope: model.Scope{Kind: model.ScopeNetwork, Name: n.DisplayName()}, Reason: why.Reason, Message: why.Message,
			})
			return
		}
		out = append(out, route{n, model.Route{Prefix: prefix}})
	}
	for _, n := range networks {
		if !n.hasHostSubnets() {
			for _, subnet := range n.Subnets {
				add(n, subnet.Prefix)
			}
			continue
		}
		for _, prefix := range p.node.Subnets[n.Name] {
			add(n, prefix)
		}
	}
	return out
}

// egressIPRoutes yields the egress IPs on the node that serve the networks.
func egressIPRoutes(p *nodePlanner, _ *advertiser, networks []*advertisedNetwork, _ *model.NodePart) []route {
	var out []route
	for _, e := range p.egress[p.node.Name] {
		i := slices.IndexFunc(networks, func(n *advertisedNetwork) bool { return n.Name == e.network && !n.withoutEgressIPs })
		if i >= 0 {
			out = append(out, route{networks[i], model.Route{Prefix: e.prefix}})
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
			// What the node doesn't advertise takes nothing from others.
			if p.refuse(space.defaultNetwork, vrf, prefix) != nil {
				continue
			}
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
