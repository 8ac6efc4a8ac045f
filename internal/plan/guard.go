package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// unroutable is space that means something else on every host, or nothing: RFC
// 6890 and RFC 1112. Of the registries' other special blocks clusters use some
// for their pods.
var unroutable = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "0.0.0.0/8, which stands for no host"},
	{netip.MustParsePrefix("127.0.0.0/8"), "the loopback space 127.0.0.0/8"},
	{netip.MustParsePrefix("169.254.0.0/16"), "the link-local space 169.254.0.0/16"},
	{netip.MustParsePrefix("224.0.0.0/4"), "the multicast space 224.0.0.0/4"},
	{netip.MustParsePrefix("255.255.255.255/32"), "the broadcast address"},
	{netip.MustParsePrefix("::/127"), "the loopback address ::1"},
	{netip.MustParsePrefix("::ffff:0.0.0.0/96"), "the space ::ffff:0:0/96, which stands for IPv4 addresses"},
	{netip.MustParsePrefix("fe80::/10"), "the link-local space fe80::/10"},
	{netip.MustParsePrefix("ff00::/8"), "the multicast space ff00::/8"},
}

// guard knows what no advertised prefix may cover: with it the fabric would send
// the traffic of nodes, of BGP sessions or of Services to pods.
type guard struct {
	services []netip.Prefix
	// addresses are those of nodes and neighbors by VRF, sorted. Nodes are in the
	// default one, whatever networks have elsewhere.
	addresses map[string][]guardedAddress
}

type guardedAddress struct {
	address netip.Addr
	covered finding.Covered
}

func newGuard(c *model.Cluster) *guard {
	g := &guard{services: c.Settings.ServiceSubnets, addresses: map[string][]guardedAddress{}}
	for i := range c.Hosts {
		for _, address := range c.Hosts[i].Addresses {
			g.add("", address, finding.NodeAddress(address, c.Hosts[i].Name))
		}
	}
	for i := range c.Templates {
		t := &c.Templates[i]
		for j := range t.Routers {
			for k := range t.Routers[j].Neighbors {
				address, err := netip.ParseAddr(t.Routers[j].Neighbors[k].Address)
				if err != nil {
					continue // It is unnumbered, or told as unusable.
				}
				vrf := t.Routers[j].VRF
				if vrf == model.DefaultVRF {
					vrf = ""
				}
				g.add(vrf, address.Unmap().WithZone(""), finding.NeighborAddress(address, t.Namespace+"/"+t.Name))
			}
		}
	}
	for vrf := range g.addresses {
		slices.SortFunc(g.addresses[vrf], compareGuarded)
		g.addresses[vrf] = slices.CompactFunc(g.addresses[vrf], func(a, b guardedAddress) bool {
			return a.address == b.address && a.covered.Reason() == b.covered.Reason()
		})
	}
	return g
}

func (g *guard) add(vrf string, address netip.Addr, covered finding.Covered) {
	g.addresses[vrf] = append(g.addresses[vrf], guardedAddress{address, covered})
}

// compareGuarded puts nodes before neighbors of the same address: with managed
// routing, nodes are neighbors.
func compareGuarded(a, b guardedAddress) int {
	return cmp.Or(a.address.Compare(b.address), -cmp.Compare(a.covered.Reason(), b.covered.Reason()), cmp.Compare(a.covered.Text(), b.covered.Text()))
}

// covers returns what of it a prefix covers in a VRF, nil for nothing.
func (g *guard) covers(vrf string, prefix netip.Prefix) (covered finding.Covered, found bool) {
	for i := range unroutable {
		if unroutable[i].prefix.Overlaps(prefix) {
			return finding.Unroutable(unroutable[i].what), true
		}
	}
	for _, services := range g.services {
		if services.Overlaps(prefix) {
			return finding.Services(services), true
		}
	}
	addresses := g.addresses[vrf]
	i, _ := slices.BinarySearchFunc(addresses, prefix.Addr(), func(a guardedAddress, first netip.Addr) int { return a.address.Compare(first) })
	if i < len(addresses) && prefix.Contains(addresses[i].address) {
		return addresses[i].covered, true
	}
	return finding.Covered{}, false
}

// eachChange calls do with each address that one of the two guards and the other
// doesn't. Nodes come and go, and mostly that is all.
func (g *guard) eachChange(other *guard, do func(vrf string, address netip.Addr)) {
	both := map[string]bool{}
	for vrf := range g.addresses {
		both[vrf] = true
	}
	for vrf := range other.addresses {
		both[vrf] = true
	}
	for vrf := range both {
		a, b := g.addresses[vrf], other.addresses[vrf]
		for len(a)+len(b) > 0 {
			switch {
			case len(b) == 0 || len(a) > 0 && compareGuarded(a[0], b[0]) < 0:
				do(vrf, a[0].address)
				a = a[1:]
			case len(a) == 0 || compareGuarded(a[0], b[0]) > 0:
				do(vrf, b[0].address)
				b = b[1:]
			default:
				a, b = a[1:], b[1:]
			}
		}
	}
}

// refuse says why the node may not advertise a prefix of a network in a VRF, nil
// if it may.
func (p *nodePlanner) refuse(n *model.Network, vrf string, prefix netip.Prefix) *model.Finding {
	if n.IsDefault() || n.Topology == model.TopologyLayer3 {
		if f := p.outside(n, prefix); f != nil {
			return f
		}
		for _, dispute := range p.cluster.Disputes[p.node.Name] {
			if dispute.Network == n.Name && dispute.Subnet == prefix {
				f := finding.HostSubnetDisputed(n.DisplayName(), prefix, dispute.Others)
				return &f
			}
		}
	}
	if covered, found := p.guarded.covers(vrf, prefix); found {
		f := finding.PrefixCovers(n.DisplayName(), prefix, covered)
		return &f
	}
	return nil
}

// outside reports a part that can't be one of the network's: the annotation that it
// comes from is only as trustworthy as the node.
func (p *nodePlanner) outside(n *model.Network, prefix netip.Prefix) *model.Finding {
	subnets := n.Subnets
	if n.IsDefault() && len(subnets) == 0 {
		subnets = p.cluster.Settings.ClusterSubnets
	}
	if len(subnets) == 0 {
		return nil
	}
	for _, subnet := range subnets {
		if subnet.Prefix.Contains(prefix.Addr()) && prefix.Bits() == subnet.HostLength {
			return nil
		}
	}
	f := finding.HostSubnetOutside(n.DisplayName(), prefix, subnets)
	return &f
}
