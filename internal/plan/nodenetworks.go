package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Networks returns what the node has to do for each primary network. The parts are
// those of its plan, with what became of them: a network is advertised if a part
// says that its prefixes reach a neighbor, or another controller advertises it, and for
// no other reason.
func (c *Compiled) Networks(n *model.Node, around *model.Surroundings, parts []model.NodePart) []model.NodeNetwork {
	byRA := make(map[string]*model.NodePart, len(parts))
	for i := range parts {
		byRA[parts[i].RA] = &parts[i]
	}
	tunnels := slices.Concat(parts, c.elsewhere(n))
	out := make([]model.NodeNetwork, 0, len(c.cluster.Networks))
	for i := range c.cluster.Networks {
		network := &c.cluster.Networks[i]
		if !routed(network) {
			continue
		}
		// What all nodes have in common was found when the cluster was compiled.
		entry := c.common[network.Name]
		entry.ID = cmp.Or(network.ID, around.NetworkIDs[network.Name])
		entry.Gateway = around.Gateway
		if network.Uplink != "" {
			entry.Gateway = around.Uplinks[network.Uplink]
		}
		if network.IsDefault() || network.Topology == model.TopologyLayer3 {
			entry.HostSubnets = n.Subnets[network.Name]
		}
		entry.AdvertisedIn = c.advertisedIn(&entry, byRA)
		entry.Tunnel = tunnelOf(network, tunnels)
		entry.OwnVRFOnly = entry.OwnVRFOnly && !slices.ContainsFunc(entry.AdvertisedIn, func(vrf string) bool { return vrf != network.VRF })
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b model.NodeNetwork) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// routed reports whether a network has a gateway router on nodes.
func routed(n *model.Network) bool {
	return n.IsDefault() || n.Primary && (n.Topology == model.TopologyLayer2 || n.Topology == model.TopologyLayer3)
}

// advertisedIn are the VRFs in which the node's parts have a prefix of the
// network's pods reach a neighbor, or another controller does.
func (c *Compiled) advertisedIn(network *model.NodeNetwork, parts map[string]*model.NodePart) []string {
	out := slices.Clone(network.AdvertisedIn)
	for _, a := range c.advertisers {
		part, advertised := parts[a.Name], a.byName[network.Name]
		if advertised == nil || part == nil || !part.State.Stands() {
			continue
		}
		if _, found := slices.BinarySearch(part.PodNetworks, network.Name); !found {
			continue
		}
		if vrf := a.originVRF(advertised); !slices.Contains(out, vrf) {
			out = append(out, vrf)
		}
	}
	slices.Sort(out)
	return out
}

// podNetworks are the names of those of the networks, sorted, of which a neighbor is to
// be told the way to pods.
func (p *nodePlanner) podNetworks(c *contribution, all *routeSet, part *model.NodePart) []string {
	switch {
	case !c.advertisesPods():
		return nil
	case c.tellsAll(all, part):
		return c.names
	}
	var out []string
	for _, n := range c.networks {
		if p.reaches(n, c.originVRF(n), part) {
			out = append(out, n.Name)
		}
	}
	for _, t := range c.tunnels {
		if p.reaches(t.advertisedNetwork, c.originVRF(t.advertisedNetwork), part) {
			out = append(out, t.Name)
		}
	}
	slices.Sort(out)
	return out
}

// tellsAll is quick to find what is so on nearly every node: the object is about pods
// alone, has a route of each of its networks, and tells neighbors of all of them.
func (c *contribution) tellsAll(all *routeSet, part *model.NodePart) bool {
	const most = 1024
	if len(c.sources) != 1 || c.TargetVRF == model.TargetVRFAuto || len(c.networks) != len(c.names) || len(c.names) > most ||
		len(part.Advertised) != 1 || len(part.Advertised[0].Routes) != len(all.all) {
		return false
	}
	var seen [most]bool
	missing := len(c.names)
	for i := range c.routes {
		if at := c.routes[i].network.index; !seen[at] {
			seen[at] = true
			missing--
		}
	}
	return missing == 0
}

// reaches reports whether the part tells a neighbor the way to pods of the network.
// What else it advertises in the VRF are other networks' subnets and egress IPs.
func (p *nodePlanner) reaches(network *advertisedNetwork, vrf string, part *model.NodePart) bool {
	for _, advertised := range part.Advertised {
		if advertised.VRF != vrf {
			continue
		}
		told := func(p netip.Prefix) bool {
			_, found := slices.BinarySearchFunc(advertised.Routes, p, func(r model.Route, p netip.Prefix) int { return r.Prefix.Compare(p) })
			return found
		}
		if network.hasHostSubnets() {
			return slices.ContainsFunc(p.node.Subnets[network.Name], told)
		}
		return slices.ContainsFunc(network.Subnets, func(s model.NetworkSubnet) bool { return told(s.Prefix) })
	}
	return false
}

// AdvertisesPods reports whether a RouteAdvertisements object is about pods at all, and
// not about egress IPs alone.
func (c *Compiled) AdvertisesPods(ra string) bool {
	a := c.byName[ra]
	return a != nil && a.advertisesPods()
}

func (a *advertiser) advertisesPods() bool {
	return slices.Contains(a.Advertisements, model.AdvertisePodNetwork)
}

// commonOf finds what is the same for a network on every node: the network as it is
// published, the VRFs that RouteAdvertisements, usable or not, mean its pods for, and
// those in which another controller advertises them.
func commonOf(networks []model.Network, advertisers []*advertiser) map[string]model.NodeNetwork {
	out := make(map[string]model.NodeNetwork, len(networks))
	for i := range networks {
		n := &networks[i]
		if !routed(n) {
			continue
		}
		entry := model.NodeNetwork{Network: publishedOf(n), PodVRFs: make([]string, 0, 1)}
		// A VRF whose name is not known yet has no table to lead astray in.
		if n.IsDefault() || n.VRF != "" {
			entry.PodVRFs = append(entry.PodVRFs, n.VRF)
		}
		for _, a := range advertisers {
			if !a.advertisesPods() || !a.selects(n) {
				continue
			}
			if advertised := a.byName[n.Name]; advertised != nil && a.renderedElsewhere() {
				// What another controller does is its own to tell.
				entry.AdvertisedIn = append(entry.AdvertisedIn, a.originVRF(advertised))
			}
			if a.TargetVRF == model.TargetVRFAuto || a.TargetVRF != "" && a.TargetVRF == n.VRF {
				entry.OwnVRFOnly = entry.OwnVRFOnly || !n.IsDefault()
				continue
			}
			entry.PodVRFs = append(entry.PodVRFs, a.TargetVRF)
		}
		for _, vrfs := range []*[]string{&entry.PodVRFs, &entry.AdvertisedIn} {
			slices.Sort(*vrfs)
			*vrfs = slices.Compact(*vrfs)
		}
		out[n.Name] = entry
	}
	return out
}

// publishedOf is the network without what only the plan goes by.
func publishedOf(n *model.Network) *model.Network {
	out := *n
	out.Created, out.Labels, out.NamespaceSelector, out.SubnetsNotice, out.ManagedRouting = time.Time{}, nil, nil, nil, false
	return &out
}
