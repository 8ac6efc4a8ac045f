package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// LabelPrimaryNetwork marks namespaces whose pods use a primary user-defined
// network instead of the default one.
const LabelPrimaryNetwork = "k8s.ovn.org/primary-user-defined-network"

// egressRoute is an egress IP on a node, for pods of a network.
type egressRoute struct {
	network string
	prefix  netip.Prefix
}

// egressIPs is the source of the addresses that EgressIP objects have on nodes.
type egressIPs struct {
	// byNode holds the egress IPs on each node, sorted.
	byNode map[string][]egressRoute
}

func (*egressIPs) advertisement() model.Advertisement { return model.AdvertiseEgressIP }

func (*egressIPs) check(a *advertiser) *model.Problem {
	if a.TargetVRF != model.TargetVRFAuto {
		return nil
	}
	return finding.EgressIPWithAutoVRF()
}

func (*egressIPs) takes(a *advertiser, n *model.Network) bool {
	if n.Topology != model.TopologyLayer2 {
		return true
	}
	a.find(finding.EgressIPOnLayer2(n.DisplayName()))
	return false
}

// gather finds each node's egress IPs and the networks that use them.
func (x *egressIPs) gather(c *Compiled) {
	asking := slices.DeleteFunc(slices.Clone(c.advertisers), func(a *advertiser) bool { return !a.asks(x) })
	if len(asking) == 0 {
		return
	}
	serving := servingNetworks(&c.cluster)
	x.byNode = map[string][]egressRoute{}
	for i := range c.cluster.EgressIPs {
		eip := &c.cluster.EgressIPs[i]
		scope := model.Scope{Kind: model.ScopeEgressIP, Name: eip.Name}
		for _, a := range asking {
			if eip.Problem != nil {
				a.find(eip.Problem.In(scope))
			}
			for j := range eip.ItemProblems {
				a.find(eip.ItemProblems[j].In(scope))
			}
		}
		if eip.Problem != nil {
			continue
		}
		networks := map[string]bool{}
		var unserved []string
		for j := range c.cluster.Namespaces {
			ns := &c.cluster.Namespaces[j]
			if !eip.NamespaceSelector.Matches(ns.Labels) {
				continue
			}
			network := serving[ns.Name]
			if network == "" {
				unserved = append(unserved, ns.Name)
				continue
			}
			networks[network] = true
		}
		noteUnserved(asking, eip.Name, unserved)
		for _, assigned := range eip.Assignments {
			if covered, found := c.guarded.covers("", hostPrefix(assigned.Address)); found {
				for _, a := range asking {
					a.find(finding.EgressIPCovers(eip.Name, assigned.Address, covered))
				}
				continue
			}
			for network := range networks {
				x.byNode[assigned.Node] = append(x.byNode[assigned.Node], egressRoute{network, hostPrefix(assigned.Address)})
			}
		}
	}
	for node, routes := range x.byNode {
		slices.SortFunc(routes, func(a, b egressRoute) int {
			return cmp.Or(cmp.Compare(a.network, b.network), a.prefix.Compare(b.prefix))
		})
		x.byNode[node] = slices.Compact(routes)
	}
}

func (x *egressIPs) touched(c *Compiled, old source, before *Compiled, nodes *touchedNodes) {
	was := old.(*egressIPs)
	changedKeys(x.byNode, was.byNode, func(node string) {
		used := func(e egressRoute) bool { return c.uses(x, e.network) || before.uses(was, e.network) }
		if slices.ContainsFunc(x.byNode[node], used) || slices.ContainsFunc(was.byNode[node], used) {
			nodes.add(node)
		}
	})
}

func (*egressIPs) missing(*advertiser, *model.Node) *model.Problem { return nil }

func (*egressIPs) heldBack(*nodePlanner, *advertiser, *advertisedNetwork) *model.Finding { return nil }

// routes yields the egress IPs on the node that serve the networks.
func (x *egressIPs) routes(p *nodePlanner, _ *advertiser, networks []*advertisedNetwork, _ *model.NodePart) []route {
	var out []route
	for _, e := range x.byNode[p.node.Name] {
		i := slices.IndexFunc(networks, func(n *advertisedNetwork) bool { return n.Name == e.network })
		if i >= 0 {
			out = append(out, route{network: networks[i], Route: model.Route{Prefix: e.prefix}})
		}
	}
	return out
}

// noteUnserved reports namespaces whose pods use the egress IP and whose network
// can't be advertised.
func noteUnserved(asking []*advertiser, egressIP string, namespaces []string) {
	if len(namespaces) == 0 {
		return
	}
	slices.Sort(namespaces)
	for _, a := range asking {
		a.find(finding.EgressIPOfOtherNetwork(egressIP, namespaces, LabelPrimaryNetwork))
	}
}

// hostPrefix is the address as a prefix of full length.
func hostPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// servingNetworks returns for each namespace the network that its pods use. The label
// of the namespace decides: without it the default network; with it the primary
// ClusterUserDefinedNetwork that selects the namespace, and "" if there is none.
// Such a namespace has a namespaced UserDefinedNetwork or waits for its network;
// its pods are never on the default one.
func servingNetworks(c *model.Cluster) map[string]string {
	primary := make([]*model.Network, 0, len(c.Networks))
	for i := range c.Networks {
		if n := &c.Networks[i]; n.Primary && !n.IsDefault() && n.Problem == nil {
			primary = append(primary, n)
		}
	}
	slices.SortFunc(primary, func(a, b *model.Network) int { return compareNetworks(*a, *b) })
	out := make(map[string]string, len(c.Namespaces))
	for i := range c.Namespaces {
		ns := &c.Namespaces[i]
		if _, labelled := ns.Labels[LabelPrimaryNetwork]; !labelled {
			out[ns.Name] = model.DefaultNetwork
			continue
		}
		for _, n := range primary {
			if n.NamespaceSelector.Matches(ns.Labels) {
				out[ns.Name] = n.Name
				break
			}
		}
	}
	return out
}
