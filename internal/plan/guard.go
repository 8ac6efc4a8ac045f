package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

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
	address      netip.Addr
	reason, what string
}

// covered is why a prefix can't be advertised.
type covered struct{ reason, what string }

func newGuard(c *model.Cluster) *guard {
	g := &guard{services: c.Settings.ServiceSubnets, addresses: map[string][]guardedAddress{}}
	for i := range c.Hosts {
		for _, address := range c.Hosts[i].Addresses {
			g.add("", address, "CoversNode", fmt.Sprintf("address %s of node %s", address, c.Hosts[i].Name))
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
				g.add(vrf, address.Unmap().WithZone(""), "CoversNeighbor", fmt.Sprintf("address %s of a neighbor in FRRConfiguration %s/%s", address, t.Namespace, t.Name))
			}
		}
	}
	for vrf := range g.addresses {
		slices.SortFunc(g.addresses[vrf], compareGuarded)
		g.addresses[vrf] = slices.CompactFunc(g.addresses[vrf], func(a, b guardedAddress) bool { return a.address == b.address && a.reason == b.reason })
	}
	return g
}

func (g *guard) add(vrf string, address netip.Addr, reason, what string) {
	g.addresses[vrf] = append(g.addresses[vrf], guardedAddress{address, reason, what})
}

// compareGuarded puts nodes before neighbors of the same address: with managed
// routing, nodes are neighbors.
func compareGuarded(a, b guardedAddress) int {
	return cmp.Or(a.address.Compare(b.address), -cmp.Compare(a.reason, b.reason), cmp.Compare(a.what, b.what))
}

// covers returns what of it a prefix covers in a VRF, nil for nothing.
func (g *guard) covers(vrf string, prefix netip.Prefix) *covered {
	for i := range unroutable {
		if unroutable[i].prefix.Overlaps(prefix) {
			return &covered{"NotRoutable", "overlaps " + unroutable[i].what}
		}
	}
	for _, services := range g.services {
		if services.Overlaps(prefix) {
			return &covered{"CoversServices", fmt.Sprintf("overlaps %s, the addresses of Services", services)}
		}
	}
	addresses := g.addresses[vrf]
	i, _ := slices.BinarySearchFunc(addresses, prefix.Addr(), func(a guardedAddress, first netip.Addr) int { return a.address.Compare(first) })
	if i < len(addresses) && prefix.Contains(addresses[i].address) {
		return &covered{addresses[i].reason, "covers the " + addresses[i].what}
	}
	return nil
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
func (p *nodePlanner) refuse(n *model.Network, vrf string, prefix netip.Prefix) *model.Problem {
	if n.IsDefault() || n.Topology == model.TopologyLayer3 {
		if problem := p.outside(n, prefix); problem != nil {
			return problem
		}
		for _, dispute := range p.cluster.Disputes[p.node.Name] {
			if dispute.Network == n.Name && dispute.Subnet == prefix {
				return &model.Problem{Reason: "HostSubnetDisputed", Message: fmt.Sprintf(
					"%s of network %q is not advertised: the annotation k8s.ovn.org/node-subnets of %s claims it, too, or a part of it: see who wrote it, and correct the wrong one",
					prefix, n.DisplayName(), cutList(dispute.Others, maxNearMisses))}
			}
		}
	}
	if why := p.guarded.covers(vrf, prefix); why != nil {
		return &model.Problem{Reason: why.reason, Message: fmt.Sprintf(
			"%s of network %q is not advertised, because it %s: give the network other subnets", prefix, n.DisplayName(), why.what)}
	}
	return nil
}

// maxBounds is how many of a network's subnets, of which it may have hundreds, a
// message names.
const maxBounds = 2

// outside says where a node's part can't be one of the network's: the annotation
// that tells it is as trustworthy as the node.
func (p *nodePlanner) outside(n *model.Network, prefix netip.Prefix) *model.Problem {
	subnets := n.Subnets
	if n.IsDefault() && len(subnets) == 0 {
		subnets = p.cluster.Settings.ClusterSubnets
	}
	if len(subnets) == 0 {
		return nil
	}
	var of []string
	for _, subnet := range subnets {
		if subnet.Prefix.Contains(prefix.Addr()) && prefix.Bits() == subnet.HostLength {
			return nil
		}
		of = append(of, fmt.Sprintf("%s (as /%d)", subnet.Prefix, subnet.HostLength))
	}
	return &model.Problem{Reason: "HostSubnetOutside", Message: fmt.Sprintf(
		"%s of network %q is not advertised: the annotation k8s.ovn.org/node-subnets claims it, and it is no node's part of the network's %s: "+
			"see who wrote it, and remove it so that OVN-Kubernetes writes it again", prefix, n.DisplayName(), cutList(of, maxBounds))}
}
