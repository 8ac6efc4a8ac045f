package allocation

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Pool is what a VTEP's addresses are taken from.
type Pool struct {
	VTEP string
	// CIDRs are in the order in which they are used. They don't overlap each other.
	CIDRs []netip.Prefix
	// Others are the CIDRs of other VTEPs. Nobody gets an address that they contain.
	Others []netip.Prefix
}

// Node is a node with what it has.
type Node struct {
	Name    string
	Created time.Time
	// Held are the addresses that it was given, by VTEP, and Sure says that they are
	// known and not only read: of two nodes with one address it is the sure one's, else
	// the older node's.
	Held map[string][]netip.Addr
	Sure bool
	// Gone nodes keep what they have, and get nothing.
	Gone bool
	// Own are addresses, by VTEP, that it has without having been given them. It gets
	// none of that family then, unless another node holds the very address.
	Own map[string][]netip.Addr
}

// Request is what Allocate goes by.
type Request struct {
	Pools []Pool
	// Nodes are all that there are, and those that are gone and of which something is left.
	Nodes []Node
	// Taken are addresses that nobody gets.
	Taken []netip.Addr
	// Resting are addresses that were given back, the last one at the end. They are given
	// out when there are no others, in that order.
	Resting []netip.Addr
}

// Result is who has what.
type Result struct {
	// Addresses are by node and VTEP, IPv4 first. Nodes without any are not in it.
	Addresses map[string]map[string][]netip.Addr
	// Without are the nodes, sorted, for which a VTEP has no address left.
	Without map[string][]string
}

// Allocate gives every node an address of each family that a pool has. The order of pools
// and nodes doesn't matter.
func Allocate(r *Request) Result {
	a := &allocator{
		out:   Result{Addresses: make(map[string]map[string][]netip.Addr, len(r.Nodes)), Without: map[string][]string{}},
		nodes: slices.Clone(r.Nodes), taken: make(map[netip.Addr]bool, len(r.Nodes)), resting: r.Resting,
	}
	slices.SortFunc(a.nodes, precedence)
	pools := slices.SortedFunc(slices.Values(r.Pools), func(a, b Pool) int { return cmp.Compare(a.VTEP, b.VTEP) })
	// All holders come before anybody gets anything.
	for i := range pools {
		a.keep(&pools[i])
	}
	a.noteOwn()
	a.take(r.Taken...)
	for i := range pools {
		for _, family := range families {
			a.give(&pools[i], family)
		}
	}
	return a.out
}

// families are in the order in which a node's addresses are listed.
var families = [...]func(netip.Addr) bool{netip.Addr.Is4, netip.Addr.Is6}

func precedence(a, b Node) int {
	if a.Sure != b.Sure {
		if a.Sure {
			return -1
		}
		return 1
	}
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}

type allocator struct {
	out   Result
	nodes []Node
	taken map[netip.Addr]bool
	// own are nodes' own addresses, by node and VTEP, but for those that others hold.
	own     map[string]map[string][]netip.Addr
	resting []netip.Addr
}

func (a *allocator) take(addresses ...netip.Addr) {
	for _, address := range addresses {
		a.taken[address] = true
	}
}

// keep leaves holders what they have.
func (a *allocator) keep(p *Pool) {
	for _, family := range families {
		for i := range a.nodes {
			n := &a.nodes[i]
			for _, held := range n.Held[p.VTEP] {
				if family(held) && !a.taken[held] && within(held, p.CIDRs) {
					a.note(n, p, held)
					break
				}
			}
		}
	}
}

// noteOwn leaves nodes' own addresses to them. One that another node holds is none.
func (a *allocator) noteOwn() {
	a.own = map[string]map[string][]netip.Addr{}
	for i := range a.nodes {
		n := &a.nodes[i]
		for vtep, addresses := range n.Own {
			if a.own[n.Name] == nil {
				a.own[n.Name] = map[string][]netip.Addr{}
			}
			a.own[n.Name][vtep] = slices.DeleteFunc(slices.Clone(addresses), func(own netip.Addr) bool { return a.taken[own] })
		}
	}
	for _, vteps := range a.own {
		for _, addresses := range vteps {
			a.take(addresses...)
		}
	}
}

func (a *allocator) note(n *Node, p *Pool, address netip.Addr) {
	a.taken[address] = true
	if a.out.Addresses[n.Name] == nil {
		a.out.Addresses[n.Name] = map[string][]netip.Addr{}
	}
	a.out.Addresses[n.Name][p.VTEP] = append(a.out.Addresses[n.Name][p.VTEP], address)
}

// give gives the nodes that have no address of the family the next ones.
func (a *allocator) give(p *Pool, family func(netip.Addr) bool) {
	free := newCursor(p, family, a.holders(p, family))
	if free == nil {
		return
	}
	// The oldest node first, whatever is known of it.
	lacking := slices.SortedFunc(slices.Values(a.nodes), func(a, b Node) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	for i := range lacking {
		n := &lacking[i]
		if n.Gone || slices.ContainsFunc(a.out.Addresses[n.Name][p.VTEP], family) || slices.ContainsFunc(a.own[n.Name][p.VTEP], family) {
			continue
		}
		address, found := free.next(func(c netip.Addr) bool { return !a.taken[c] && !slices.Contains(a.resting, c) })
		if !found {
			address, found = a.rested(p, family)
		}
		if found {
			a.note(n, p, address)
			slices.SortFunc(a.out.Addresses[n.Name][p.VTEP], netip.Addr.Compare)
		} else if at, told := slices.BinarySearch(a.out.Without[p.VTEP], n.Name); !told {
			a.out.Without[p.VTEP] = slices.Insert(a.out.Without[p.VTEP], at, n.Name)
		}
	}
}

// holders are the addresses of the pool that are held.
func (a *allocator) holders(p *Pool, family func(netip.Addr) bool) []netip.Addr {
	var out []netip.Addr
	for _, vteps := range a.out.Addresses {
		for _, address := range vteps[p.VTEP] {
			if family(address) {
				out = append(out, address)
			}
		}
	}
	return out
}

// rested is the address that was given back the longest ago.
func (a *allocator) rested(p *Pool, family func(netip.Addr) bool) (netip.Addr, bool) {
	for _, address := range a.resting {
		if family(address) && !a.taken[address] && usable(address, p) {
			return address, true
		}
	}
	return netip.Addr{}, false
}

func within(address netip.Addr, cidrs []netip.Prefix) bool {
	return slices.ContainsFunc(cidrs, func(c netip.Prefix) bool { return c.Contains(address) })
}
