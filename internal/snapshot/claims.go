package snapshot

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Claims knows which subnets and tunnel endpoints nodes claim, to find those that
// several do. A node's
// annotation is as trustworthy as the node, and no two have a part in common. It
// is kept up to date node by node, so that one node's change costs one node; of a
// claim it holds a hash, as there are as many as nodes times networks. It is safe
// for concurrent use.
type Claims struct {
	mu    sync.Mutex
	seed  maphash.Seed
	nodes map[string]*claimant
	// first has one claimant of each claim, shared all of them where there are
	// more.
	first  map[uint64]*claimant
	shared map[uint64][]*claimant
}

type claimant struct {
	name               string
	annotation, tunnel string
	keys               []uint64
	// standard are the parts of the default network, whose lengths may not be
	// known, so that they may overlap without being the same.
	standard []netip.Prefix
}

// claim is what keys are the hashes of. A tunnel endpoint is of no network, and of no
// VTEP either: no two of them have an address in common.
type claim struct {
	network string
	subnet  netip.Prefix
}

// NewClaims returns Claims of no nodes.
func NewClaims() *Claims {
	return &Claims{seed: maphash.MakeSeed(), nodes: map[string]*claimant{}, first: map[uint64]*claimant{}, shared: map[uint64][]*claimant{}}
}

// claimsOf takes in all of the nodes.
func claimsOf(nodes []corev1.Node) *Claims {
	claims := NewClaims()
	for i := range nodes {
		claims.Note(&nodes[i])
	}
	return claims
}

// Note takes in a node, and reports whether Disputes may return something else
// now.
func (c *Claims) Note(n *corev1.Node) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := &claimant{name: n.Name, annotation: n.Annotations[ovnk.AnnotationNodeSubnets], tunnel: n.Annotations[ovnk.AnnotationVTEPs]}
	before := c.nodes[n.Name]
	if before != nil && before.annotation == now.annotation && before.tunnel == now.tunnel {
		return false
	}
	for network, subnets := range now.subnets() {
		for _, subnet := range subnets {
			now.keys = append(now.keys, maphash.Comparable(c.seed, claim{network, subnet}))
		}
		if network == model.DefaultNetwork {
			now.standard = slices.Clone(subnets)
		}
	}
	for _, endpoint := range now.endpoints() {
		now.keys = append(now.keys, maphash.Comparable(c.seed, claim{subnet: endpoint}))
	}
	// An annotation may say one thing twice.
	slices.Sort(now.keys)
	now.keys = slices.Compact(now.keys)
	changed = before == nil && len(now.standard) > 0 || before != nil && !slices.Equal(before.standard, now.standard)
	changed = c.forget(before) || changed
	c.nodes[n.Name] = now
	return c.remember(now) || changed
}

// Forget is Note for a node that is gone.
func (c *Claims) Forget(node string) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.nodes[node]
	delete(c.nodes, node)
	return c.forget(before) || before != nil && len(before.standard) > 0
}

// subnets are none where the annotation can't be read: what the node advertises
// stays as it is then.
func (c *claimant) subnets() map[string][]netip.Prefix {
	subnets, err := ovnk.ParseNodeSubnets(c.annotation, nil)
	if err != nil {
		return nil
	}
	return subnets
}

// endpoints are the node's tunnel endpoints, none where the annotation can't be read.
func (c *claimant) endpoints() []netip.Prefix {
	if c.tunnel == "" {
		return nil
	}
	byVTEP, err := ovnk.ParseVTEPs(c.tunnel)
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, addresses := range byVTEP {
		for _, a := range addresses {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}

func (c *Claims) remember(now *claimant) (changed bool) {
	for _, key := range now.keys {
		first := c.first[key]
		if first == nil {
			c.first[key] = now
			continue
		}
		changed = true
		if c.shared[key] == nil {
			c.shared[key] = []*claimant{first}
		}
		c.shared[key] = append(c.shared[key], now)
	}
	return changed
}

func (c *Claims) forget(before *claimant) (changed bool) {
	if before == nil {
		return false
	}
	for _, key := range before.keys {
		shared := c.shared[key]
		if shared == nil {
			delete(c.first, key)
			continue
		}
		changed = true
		shared = slices.DeleteFunc(shared, func(o *claimant) bool { return o == before })
		c.first[key] = shared[0]
		if c.shared[key] = shared; len(shared) < 2 {
			delete(c.shared, key)
		}
	}
	return changed
}

// DefaultSubnets returns the parts of the default network that nodes claim, by node.
func (c *Claims) DefaultSubnets() map[string][]netip.Prefix {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string][]netip.Prefix, len(c.nodes))
	for name, node := range c.nodes {
		if len(node.standard) > 0 {
			out[name] = node.standard
		}
	}
	return out
}

// Disputes returns what nodes claim that others claim, too, by node.
func (c *Claims) Disputes() map[string][]model.Dispute {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]map[claim][]string{}
	dispute := func(node *claimant, what claim, other *claimant) {
		if found[node.name] == nil {
			found[node.name] = map[claim][]string{}
		}
		found[node.name][what] = append(found[node.name][what], other.name)
	}
	for _, among := range c.shared {
		for _, node := range among {
			for _, other := range among {
				if node != other {
					node.inCommon(other, func(what claim) { dispute(node, what, other) })
				}
			}
		}
	}
	c.overlaps(dispute)
	var out map[string][]model.Dispute
	for node, claims := range found {
		var disputes []model.Dispute
		for what, others := range claims {
			slices.Sort(others)
			disputes = append(disputes, model.Dispute{Network: what.network, Subnet: what.subnet, Others: slices.Compact(others)})
		}
		slices.SortFunc(disputes, compareDisputes)
		if out == nil {
			out = map[string][]model.Dispute{}
		}
		out[node] = disputes
	}
	return out
}

// inCommon finds the very claims: hashes only point to them.
func (c *claimant) inCommon(other *claimant, found func(claim)) {
	theirs := other.subnets()
	for network, subnets := range c.subnets() {
		for _, subnet := range subnets {
			if slices.Contains(theirs[network], subnet) {
				found(claim{network, subnet})
			}
		}
	}
	if c.tunnel == "" || other.tunnel == "" {
		return
	}
	tunnels := other.endpoints()
	for _, endpoint := range c.endpoints() {
		if slices.Contains(tunnels, endpoint) {
			found(claim{subnet: endpoint})
		}
	}
}
