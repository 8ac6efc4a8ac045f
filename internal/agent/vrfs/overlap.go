package vrfs

import (
	"cmp"
	"net/netip"
	"slices"
)

// candidate is a rule that a network, an index into the planner's, asks for.
type candidate struct {
	network int
	rule    Rule
	there   bool
}

// wantedRules returns the rules that are to be, sorted: only exposed networks
// have any. A rule looks at the destination alone, so that one to an isolated
// network would let other VRFs into it, and one to a subnet that two tenants
// have would mix them. All rules have the same
// priority, so that the kernel takes the first that was made rather than the
// longest prefix: of networks that overlap only one can have the rule.
func (p *planner) wantedRules(there map[Rule]bool) []candidate {
	var asked []candidate
	for i := range p.networks {
		if n := &p.networks[i]; p.places[i].held || !n.Exposed || n.Isolated {
			continue
		}
		for _, subnet := range p.networks[i].Subnets {
			covered := slices.IndexFunc(p.networks[i].NodeAddresses, subnet.Contains)
			switch {
			case covered >= 0:
				p.places[i].trouble(ReasonNodeCovered, "a rule to its subnet %s would redirect the traffic of the node's own address %s, and is not made", subnet, p.networks[i].NodeAddresses[covered])
			case subnet.Bits() == 0:
				p.places[i].trouble(ReasonSubnetTooWide, "a rule to its subnet %s would redirect all of the node's traffic, and is not made", subnet)
			case subnet.Addr().Is4() || !p.observed.WithoutIPv6:
				rule := ruleTo(subnet, p.places[i].Table)
				asked = append(asked, candidate{network: i, rule: rule, there: there[rule.effect()]})
			}
		}
	}
	// Rules that are kept without being asked for take their place too.
	for _, r := range p.observed.Rules {
		if r.ours() && p.keep[r.Table] {
			asked = append(asked, candidate{network: -1, rule: r, there: true})
		}
	}
	slices.SortStableFunc(asked, func(a, b candidate) int {
		return cmp.Or(a.rule.To.Compare(b.rule.To), cmp.Compare(a.network, b.network))
	})
	var out []candidate
	// Prefixes overlap only by one being within the other, and those within
	// one come right after it.
	for begin, end := 0, 0; begin < len(asked); begin = end {
		widest := asked[begin].rule.To
		for end = begin + 1; end < len(asked) && widest.Overlaps(asked[end].rule.To); {
			end++
		}
		out = p.settle(asked[begin:end], out)
	}
	return slices.DeleteFunc(out, func(c candidate) bool { return c.network < 0 })
}

// settle appends those of a group of overlapping candidates that get their
// rule. Whoever has it already keeps it, so that a new network can't take
// another's traffic.
func (p *planner) settle(group, out []candidate) []candidate {
	slices.SortStableFunc(group, func(a, b candidate) int {
		switch {
		case a.there == b.there:
			return 0
		case a.there:
			return -1
		default:
			return 1
		}
	})
	first := len(out)
	for _, c := range group {
		against := slices.IndexFunc(out[first:], func(o candidate) bool {
			return o.network != c.network && o.rule.To.Overlaps(c.rule.To)
		})
		if against < 0 {
			out = append(out, c)
			continue
		}
		p.refuse(c, out[first+against])
	}
	return out
}

func (p *planner) refuse(c, has candidate) {
	if c.network < 0 {
		return
	}
	other := "a network that is left as it is"
	if has.network >= 0 {
		other = "network " + p.places[has.network].Network
	}
	p.places[c.network].trouble(ReasonSubnetTaken, "there is no rule to its subnet %s, as %s of %s has the rule; only one of them can be reached by way of other VRFs",
		c.rule.To, describe(has.rule.To, c.rule.To), other)
}

func describe(prefix, against netip.Prefix) string {
	if prefix == against {
		return "the same subnet"
	}
	return "the overlapping subnet " + prefix.String()
}
