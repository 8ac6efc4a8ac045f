package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

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

// assignEgressIPs finds each node's egress IPs and the networks that use them.
func assignEgressIPs(c *model.Cluster, guarded *guard, advertisers []*advertiser) map[string][]egressRoute {
	if !slices.ContainsFunc(advertisers, func(a *advertiser) bool { return a.egressIPs && !a.idle }) {
		return nil
	}
	serving := servingNetworks(c)
	out := map[string][]egressRoute{}
	for i := range c.EgressIPs {
		eip := &c.EgressIPs[i]
		for _, a := range advertisers {
			if !a.egressIPs || a.idle {
				continue
			}
			if eip.Problem != nil {
				a.findProblem(model.ScopeEgressIP, eip.Name, eip.Problem)
			}
			for j := range eip.ItemProblems {
				a.findProblem(model.ScopeEgressIP, eip.Name, &eip.ItemProblems[j])
			}
		}
		if eip.Problem != nil {
			continue
		}
		networks := map[string]bool{}
		var unserved []string
		for j := range c.Namespaces {
			if !eip.NamespaceSelector.Matches(c.Namespaces[j].Labels) {
				continue
			}
			network := serving[c.Namespaces[j].Name]
			if network == "" {
				unserved = append(unserved, c.Namespaces[j].Name)
				continue
			}
			networks[network] = true
		}
		noteUnserved(advertisers, eip.Name, unserved)
		for _, assigned := range eip.Assignments {
			if why := guarded.covers("", hostPrefix(assigned.Address)); why != nil {
				refuseEgressIP(advertisers, eip.Name, assigned.Address, why)
				continue
			}
			for network := range networks {
				out[assigned.Node] = append(out[assigned.Node], egressRoute{network, hostPrefix(assigned.Address)})
			}
		}
	}
	for node, routes := range out {
		slices.SortFunc(routes, func(a, b egressRoute) int {
			return cmp.Or(cmp.Compare(a.network, b.network), a.prefix.Compare(b.prefix))
		})
		out[node] = slices.Compact(routes)
	}
	return out
}

// refuseEgressIP tells of an address that isn't the EgressIP's to have.
func refuseEgressIP(advertisers []*advertiser, egressIP string, address netip.Addr, why *covered) {
	for _, a := range advertisers {
		if a.egressIPs && !a.idle {
			a.find(model.Invalid, model.ScopeEgressIP, egressIP, why.reason, fmt.Sprintf(
				"EgressIP %q: %s is not advertised, because it %s: give it another address", egressIP, address, why.what))
		}
	}
}

// noteUnserved tells of namespaces whose pods the egress IP is for and whose
// network can't be advertised.
func noteUnserved(advertisers []*advertiser, egressIP string, namespaces []string) {
	if len(namespaces) == 0 {
		return
	}
	slices.Sort(namespaces)
	for _, a := range advertisers {
		if a.egressIPs && !a.idle {
			a.find(model.Notice, model.ScopeEgressIP, egressIP, "EgressIPOfOtherNetwork", fmt.Sprintf(
				"EgressIP %q is not advertised for pods of %s: the label %s says that their primary network is a user-defined one, and no ClusterUserDefinedNetwork selects the namespace; "+
					"egress IPs of a namespaced UserDefinedNetwork can't be advertised: use a ClusterUserDefinedNetwork",
				egressIP, cutList(namespaces, maxNearMisses), LabelPrimaryNetwork))
		}
	}
}

// hostPrefix is the address as a prefix of full length.
func hostPrefix(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// servingNetworks tells for each namespace which network its pods use. The label
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
