package snapshot

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// overlaps finds parts of the default network that lie within others' parts. Of
// two the one is wrong whose length is the less common one: what is wide takes
// from many, and what is narrow from one, by being more specific. Parts of other
// networks have one length, which the planner sees to.
func (c *Claims) overlaps(dispute func(*claimant, claim, *claimant)) {
	type part struct {
		subnet netip.Prefix
		node   *claimant
	}
	var parts []part
	common := map[[2]int]int{}
	length := func(p netip.Prefix) [2]int { return [2]int{p.Addr().BitLen(), p.Bits()} }
	for _, node := range c.nodes {
		for _, subnet := range node.standard {
			parts = append(parts, part{subnet, node})
			common[length(subnet)]++
		}
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(a.subnet.Compare(b.subnet), cmp.Compare(a.node.name, b.node.name))
	})
	// around are the parts that the one looked at lies within; wider ones come
	// first in order.
	var around []part
	for _, inner := range parts {
		around = slices.DeleteFunc(around, func(outer part) bool { return !outer.subnet.Overlaps(inner.subnet) })
		for _, outer := range around {
			if outer.subnet == inner.subnet || outer.node == inner.node {
				continue
			}
			wide, narrow := common[length(outer.subnet)], common[length(inner.subnet)]
			if wide <= narrow {
				dispute(outer.node, claim{model.DefaultNetwork, outer.subnet}, inner.node)
			}
			if narrow <= wide {
				dispute(inner.node, claim{model.DefaultNetwork, inner.subnet}, outer.node)
			}
		}
		around = append(around, inner)
	}
}

func compareDisputes(a, b model.Dispute) int {
	return cmp.Or(cmp.Compare(a.Network, b.Network), a.Subnet.Compare(b.Subnet))
}
