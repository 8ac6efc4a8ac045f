package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// podNetworks is the source of the networks' own subnets.
type podNetworks struct {
	// spaces hold the networks that each VRF advertises, without overlaps.
	spaces map[string]*addressSpace
}

func (*podNetworks) advertisement() model.Advertisement { return model.AdvertisePodNetwork }

func (*podNetworks) check(a *advertiser) *model.Problem {
	if a.NodeSelector.Empty() {
		return nil
	}
	return finding.NodeSelectorNotEmpty()
}

func (*podNetworks) takes(a *advertiser, n *model.Network) bool {
	if n.SubnetsNotice != nil {
		a.find(n.SubnetsNotice.In(model.Scope{Kind: model.ScopeNetwork, Name: n.DisplayName()}))
	}
	return true
}

// gather leaves out networks whose subnets overlap those of an older one that is
// advertised in the same VRF. The default network's subnets come from the nodes: see
// heldBack.
func (x *podNetworks) gather(c *Compiled) {
	claims := map[string]map[string]*model.Network{}
	for _, a := range c.advertisers {
		if !a.asks(x) {
			continue
		}
		for _, n := range a.networks {
			vrf := a.originVRF(n)
			if claims[vrf] == nil {
				claims[vrf] = map[string]*model.Network{}
			}
			claims[vrf][n.Name] = n.Network
		}
	}
	x.spaces = make(map[string]*addressSpace, len(claims))
	for vrf, networks := range claims {
		x.spaces[vrf] = newAddressSpace(networks)
	}
	for _, a := range c.advertisers {
		if !a.asks(x) {
			continue
		}
		for _, n := range slices.Clone(a.networks) {
			clash, held := x.spaces[a.originVRF(n)].heldBack[n.Name]
			if !held {
				continue
			}
			a.dropNetwork(n)
			a.find(clash.finding(n, a.originVRF(n)))
		}
	}
}

// touched notes nodes with disputes that changed, and those whose parts cover an
// address that came or went. It notes all nodes, as only they know what they have
// of a network, where such an address is within another network than the default
// one, and where one of a VRF's networks is the default one and another, which may
// be held back beside it, came or went.
func (x *podNetworks) touched(c *Compiled, old source, before *Compiled, nodes *touchedNodes) {
	was := old.(*podNetworks)
	changedKeys(c.cluster.Disputes, before.cluster.Disputes, func(node string) {
		disputed := func(d model.Dispute) bool {
			return d.Network == "" || c.uses(x, d.Network) || before.uses(was, d.Network)
		}
		if slices.ContainsFunc(c.cluster.Disputes[node], disputed) || slices.ContainsFunc(before.cluster.Disputes[node], disputed) {
			nodes.add(node)
		}
	})
	for vrf, space := range x.spaces {
		// Of a space that is new or gone, the objects changed that made it.
		if was.spaces[vrf] != nil && !space.shadowsAs(was.spaces[vrf]) {
			nodes.addAll()
		}
	}
	c.guarded.eachChange(before.guarded, func(vrf string, address netip.Addr) {
		// Of networks that are advertised only now, or no more, the objects changed.
		if !nodes.all {
			x.touchedByAddress(c, vrf, address, nodes)
		}
	})
}

// touchedByAddress notes nodes whose part of a network in the VRF covers the address.
func (x *podNetworks) touchedByAddress(c *Compiled, vrf string, address netip.Addr, nodes *touchedNodes) {
	for _, a := range c.advertisers {
		if !a.asks(x) {
			continue
		}
		for _, n := range a.networks {
			switch {
			case a.originVRF(n) != vrf:
			case n.IsDefault() && c.cluster.DefaultSubnets != nil:
				for node, subnets := range c.cluster.DefaultSubnets {
					if slices.ContainsFunc(subnets, func(s netip.Prefix) bool { return s.Contains(address) }) {
						nodes.add(node)
					}
				}
			case len(n.Subnets) == 0 && n.hasHostSubnets(),
				slices.ContainsFunc(n.Subnets, func(s model.NetworkSubnet) bool { return s.Prefix.Contains(address) }):
				nodes.addAll()
			}
		}
	}
}

// missing reports a lack of the annotation with the node's parts of networks.
func (*podNetworks) missing(a *advertiser, n *model.Node) *model.Problem {
	switch {
	case n.SubnetsProblem != nil && slices.ContainsFunc(a.all(), (*advertisedNetwork).hasHostSubnets):
		return n.SubnetsProblem
	case n.DefaultSubnetProblem != nil && a.byName[model.DefaultNetwork] != nil:
		return n.DefaultSubnetProblem
	default:
		return nil
	}
}

func (x *podNetworks) heldBack(p *nodePlanner, a *advertiser, n *advertisedNetwork) *model.Finding {
	clash, held := x.shadows(p, a.originVRF(n))[n.Name]
	if !held {
		return nil
	}
	f := clash.finding(n, a.originVRF(n))
	return &f
}

// routes yields the node's part of Layer3 networks and of the
// default one, and whole Layer2 networks, which every node can reach.
func (*podNetworks) routes(p *nodePlanner, a *advertiser, networks []*advertisedNetwork, part *model.NodePart) []route {
	out := make([]route, 0, len(networks))
	for _, n := range networks {
		p.eachPrefix(n, a.originVRF(n), part, func(prefix netip.Prefix) {
			out = append(out, route{network: n, Route: model.Route{Prefix: prefix}})
		})
	}
	return out
}

// eachPrefix calls do with each prefix of the network's pods that the node may
// advertise in a VRF, and tells in the part of those that it may not.
func (p *nodePlanner) eachPrefix(n *advertisedNetwork, vrf string, part *model.NodePart, do func(netip.Prefix)) {
	try := func(prefix netip.Prefix) {
		if why := p.refuse(n.Network, vrf, prefix); why != nil {
			part.Findings = append(part.Findings, *why)
			return
		}
		do(prefix)
	}
	if !n.hasHostSubnets() {
		for _, subnet := range n.Subnets {
			try(subnet.Prefix)
		}
		return
	}
	for _, prefix := range p.node.Subnets[n.Name] {
		try(prefix)
	}
}

// shadows finds the networks of a VRF that overlap the default network's part
// on this node; the default network was there first.
func (x *podNetworks) shadows(p *nodePlanner, vrf string) map[string]overlap {
	if held, known := p.overlappedByDefault[vrf]; known {
		return held
	}
	held := map[string]overlap{}
	space := x.spaces[vrf]
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
	if p.overlappedByDefault == nil {
		p.overlappedByDefault = map[string]map[string]overlap{}
	}
	p.overlappedByDefault[vrf] = held
	return held
}
