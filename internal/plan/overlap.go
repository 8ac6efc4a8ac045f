package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// addressSpace is the set of networks that one VRF advertises. No two of them
// overlap: BGP has one path per prefix, and an overlap would send one
// network's packets to the other.
type addressSpace struct {
	// owned is sorted and disjoint, but for prefixes of the same network.
	owned    []ownedPrefix
	heldBack map[string]overlap
	// defaultNetwork is set where it is one of them: its subnets are only known
	// node by node.
	defaultNetwork *model.Network
}

type ownedPrefix struct {
	prefix  netip.Prefix
	network *model.Network
}

// overlap is why a network was held back.
type overlap struct {
	prefix, other netip.Prefix
	network       *model.Network
}

// newAddressSpace lets networks in by precedence.
func newAddressSpace(networks map[string]*model.Network) *addressSpace {
	s := &addressSpace{heldBack: map[string]overlap{}}
	inOrder := make([]*model.Network, 0, len(networks))
	for _, n := range networks {
		inOrder = append(inOrder, n)
	}
	slices.SortFunc(inOrder, func(a, b *model.Network) int { return compareNetworks(*a, *b) })
	for _, n := range inOrder {
		if clash, found := s.clash(n); found {
			s.heldBack[n.Name] = clash
			continue
		}
		if n.IsDefault() {
			s.defaultNetwork = n
		}
		for _, subnet := range n.Subnets {
			s.insert(ownedPrefix{subnet.Prefix, n})
		}
	}
	return s
}

func (s *addressSpace) clash(n *model.Network) (overlap, bool) {
	for _, subnet := range n.Subnets {
		if other, found := s.find(subnet.Prefix); found && other.network != n {
			return overlap{subnet.Prefix, other.prefix, other.network}, true
		}
	}
	return overlap{}, false
}

// find returns an owned prefix that overlaps p. As owned prefixes are disjoint
// and CIDRs either nest or don't meet, only p's neighbors in order can overlap.
func (s *addressSpace) find(p netip.Prefix) (ownedPrefix, bool) {
	i, _ := s.search(p)
	if i < len(s.owned) && s.owned[i].prefix.Overlaps(p) {
		return s.owned[i], true
	}
	if i > 0 && s.owned[i-1].prefix.Overlaps(p) {
		return s.owned[i-1], true
	}
	return ownedPrefix{}, false
}

func (s *addressSpace) insert(p ownedPrefix) {
	if i, found := s.search(p.prefix); !found {
		s.owned = slices.Insert(s.owned, i, p)
	}
}

func (s *addressSpace) search(p netip.Prefix) (int, bool) {
	return slices.BinarySearchFunc(s.owned, p, func(o ownedPrefix, p netip.Prefix) int { return o.prefix.Compare(p) })
}

// shadowsAs reports whether nodes' parts of the default network hold back the same
// networks as in the other space.
func (s *addressSpace) shadowsAs(other *addressSpace) bool {
	if s.defaultNetwork == nil || other.defaultNetwork == nil {
		return s.defaultNetwork == other.defaultNetwork
	}
	return slices.EqualFunc(s.owned, other.owned, func(a, b ownedPrefix) bool {
		return a.prefix == b.prefix && a.network.Name == b.network.Name
	})
}

func (o overlap) finding(n *advertisedNetwork, vrf string) model.Finding {
	return finding.SubnetsOverlap(n.DisplayName(), o.prefix, o.network.DisplayName(), o.other, vrf)
}
