package kernel

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// entry is one route of a prefix.
type entry struct {
	path    model.Path
	metric  uint32
	nexthop uint32
	// protocol distinguishes BGP's routes from those that only stand before them.
	protocol uint8
	// unresolved paths follow from the nexthop object.
	unresolved bool
}

// mostForeign bounds what is remembered of other protocols' routes to where
// BGP has none: one of them may come before a route of BGP some day.
const mostForeign = 20000

// contents are the routes of a table by prefix.
type contents struct {
	// first is the route that the kernel uses, of each prefix that BGP has a
	// route for. A prefix nearly always has one; the rest are in others, in the
	// kernel's order.
	first  map[netip.Prefix]entry
	others map[netip.Prefix][]entry
	// foreign are the prefixes that only other protocols have routes for.
	foreign map[netip.Prefix][]entry
	// conditional are BGP's routes that not all packets take, and conditions
	// how many of them each prefix has.
	conditional map[condition]struct{}
	conditions  map[netip.Prefix]int
	// paths and nexthops count the routes of BGP that use them, so that it is
	// known whether the loss of a link or a nexthop object concerns the table.
	paths    map[model.Path]int
	nexthops map[uint32]int
	// standIns are those of the paths that have FRR's next hop for IPv6 ones.
	standIns map[model.Path]struct{}
	// limit is how many prefixes are kept, 0 for no limit. Those beyond it are
	// counted only, and between two listings as well as events allow.
	limit, beyond int
}

func newContents(limit int) contents {
	return contents{
		first: map[netip.Prefix]entry{}, others: map[netip.Prefix][]entry{}, foreign: map[netip.Prefix][]entry{},
		conditional: map[condition]struct{}{}, conditions: map[netip.Prefix]int{},
		paths: map[model.Path]int{}, nexthops: map[uint32]int{}, standIns: map[model.Path]struct{}{}, limit: limit,
	}
}

func (c *contents) count(e entry, by int) {
	if e.protocol != ProtocolBGP {
		return
	}
	c.paths[e.path] += by
	switch n := c.paths[e.path]; {
	case n <= 0:
		delete(c.paths, e.path)
		delete(c.standIns, e.path)
	case n == by && standsIn(e.path):
		c.standIns[e.path] = struct{}{}
	}
	if e.nexthop != 0 {
		if c.nexthops[e.nexthop] += by; c.nexthops[e.nexthop] <= 0 {
			delete(c.nexthops, e.nexthop)
		}
	}
}

// path returns where the kernel sends packets for a prefix.
func (c *contents) path(prefix netip.Prefix) (path model.Path, found bool) {
	if e, found := c.first[prefix]; found {
		if e.protocol != ProtocolBGP {
			return model.MakePath(model.PathShadowed), true
		}
		return e.path, true
	}
	if c.conditions[prefix] > 0 {
		return model.MakePath(model.PathConditional), true
	}
	return model.Path{}, false
}

// prefixes appends every prefix that BGP has a route for.
func (c *contents) prefixes(out []netip.Prefix) []netip.Prefix {
	for prefix := range c.first {
		out = append(out, prefix)
	}
	for prefix := range c.conditions {
		if _, found := c.first[prefix]; !found {
			out = append(out, prefix)
		}
	}
	return out
}

// len is how many prefixes are kept; some may be counted twice.
func (c *contents) len() int { return len(c.first) + len(c.conditions) }

func (c *contents) full() bool { return c.limit > 0 && c.len() >= c.limit }

// list returns all routes of a prefix, the one that the kernel uses first.
func (c *contents) list(prefix netip.Prefix) []entry {
	first, found := c.first[prefix]
	if !found {
		return slices.Clone(c.foreign[prefix])
	}
	return append([]entry{first}, c.others[prefix]...)
}

// put replaces the routes of a prefix.
func (c *contents) put(prefix netip.Prefix, list []entry) {
	delete(c.others, prefix)
	if !slices.ContainsFunc(list, func(e entry) bool { return e.protocol == ProtocolBGP }) {
		delete(c.first, prefix)
		if _, known := c.foreign[prefix]; len(list) > 0 && (known || len(c.foreign) < mostForeign) {
			c.foreign[prefix] = list
		} else {
			delete(c.foreign, prefix)
		}
		return
	}
	delete(c.foreign, prefix)
	c.first[prefix] = list[0]
	if len(list) > 1 {
		c.others[prefix] = list[1:]
	}
}

// listed takes a route of a listing, which are in the kernel's order.
func (c *contents) listed(r *Route, path model.Path) {
	if c.conditionally(r, false, false) {
		return
	}
	next := entryOf(r, path)
	if _, found := c.first[r.Prefix]; !found && next.protocol == ProtocolBGP && len(c.foreign[r.Prefix]) == 0 {
		c.first[r.Prefix] = next
		c.count(next, 1)
		return
	}
	list := c.list(r.Prefix)
	if i := slices.IndexFunc(list, next.joins); i >= 0 && !isIPv4(r.Prefix) {
		// Older kernels list each next hop of an IPv6 route apart.
		joined := list[i]
		joined.path = model.MakePath(model.PathUnicast, append(list[i].path.NextHops(nil), path.NextHops(nil)...)...)
		c.exchange(list, i, joined)
	} else {
		list = slices.Insert(list, afterMetric(list, next.metric), next)
		c.count(next, 1)
	}
	c.put(r.Prefix, list)
}

func entryOf(r *Route, path model.Path) entry {
	return entry{path: path, metric: r.Metric, nexthop: r.NexthopID, protocol: r.Protocol, unresolved: r.Unresolved}
}

// joins reports whether the kernel makes one IPv6 route of two, whose next hops
// share the packets (rt6_qualify_for_ecmp).
func (e entry) joins(other entry) bool {
	return e.metric == other.metric && e.shares() && other.shares()
}

func (e entry) shares() bool {
	if e.nexthop != 0 || e.path.Kind() != model.PathUnicast {
		return false
	}
	var room [8]model.NextHop
	return !slices.ContainsFunc(e.path.NextHops(room[:0]), func(h model.NextHop) bool { return !h.Addr.IsValid() })
}

func beforeMetric(list []entry, metric uint32) int {
	i := slices.IndexFunc(list, func(e entry) bool { return e.metric >= metric })
	if i < 0 {
		return len(list)
	}
	return i
}

func afterMetric(list []entry, metric uint32) int {
	i := slices.IndexFunc(list, func(e entry) bool { return e.metric > metric })
	if i < 0 {
		return len(list)
	}
	return i
}

// exchange replaces one of a list's routes.
func (c *contents) exchange(list []entry, i int, next entry) {
	c.count(list[i], -1)
	c.count(next, 1)
	list[i] = next
}

// add takes a route into the table. odd is set if the message alone doesn't show what
// is there.
func (c *contents) add(e *event, path model.Path) (odd bool) {
	r := &e.route
	if c.conditionally(r, false, e.replace) {
		return false
	}
	next := entryOf(r, path)
	old, found := c.first[r.Prefix]
	switch {
	case found && old == next:
		// As it is already; but another one like it, which differs in what isn't
		// kept, may have been added.
		return !e.replace && !e.again && isIPv4(r.Prefix)
	case found || len(c.foreign[r.Prefix]) > 0:
	case next.protocol != ProtocolBGP:
		c.put(r.Prefix, []entry{next})
		return false
	case c.full():
		if !e.replace {
			c.beyond++
		}
		return false
	default:
		c.first[r.Prefix] = next
		c.count(next, 1)
		return false
	}
	if !found && next.protocol == ProtocolBGP && c.full() {
		c.beyond++
		return false
	}
	list := c.list(r.Prefix)
	if isIPv4(r.Prefix) {
		list, odd = c.insert4(list, next, e)
	} else {
		list, odd = c.insert6(list, next, e)
	}
	c.put(r.Prefix, list)
	// The kernel forgets other protocols' routes silently when their link goes: only
	// a listing shows whether the one in front is still there.
	return odd || next.protocol == ProtocolBGP && list[0].protocol != ProtocolBGP && !e.again
}

// insert4 puts a route where the kernel puts it (fib_table_insert): one that
// replaces takes the place of the first with its metric, one that is appended
// comes after these, all others before.
func (c *contents) insert4(list []entry, next entry, e *event) (out []entry, odd bool) {
	from, to := beforeMetric(list, next.metric), afterMetric(list, next.metric)
	twin := slices.Index(list[from:to], next)
	switch {
	case e.replace && from < to:
		c.exchange(list, from, next)
		if twin > 0 {
			// It was seen in the listing already.
			c.count(next, -1)
			list = slices.Delete(list, from+twin, from+twin+1)
		}
		return list, false
	case twin >= 0:
		return list, !e.again
	case e.appended:
		from = to
	}
	c.count(next, 1)
	return slices.Insert(list, from, next), false
}

// insert6 is insert4 for IPv6 (fib6_add_rt2node): the kernel reports a route that
// shares packets with an existing one together with it.
func (c *contents) insert6(list []entry, next entry, e *event) (out []entry, odd bool) {
	from, to := beforeMetric(list, next.metric), afterMetric(list, next.metric)
	i := slices.IndexFunc(list[from:to], next.joins)
	if i < 0 && e.replace && from < to {
		i = max(0, slices.IndexFunc(list[from:to], func(old entry) bool { return old.shares() == next.shares() }))
	}
	switch {
	case i >= 0:
		if old := list[from+i].protocol; old != next.protocol && !e.replace {
			// One route of two protocols has that of its first next hop.
			next.protocol, odd = old, true
		}
		c.exchange(list, from+i, next)
		return list, odd && !e.again
	case slices.Contains(list[from:to], next):
		return list, false
	}
	c.count(next, 1)
	return slices.Insert(list, to, next), false
}

// remove takes a route off the table.
func (c *contents) remove(e *event, path model.Path) (odd bool) {
	r := &e.route
	if c.conditionally(r, true, false) {
		return false
	}
	list := c.list(r.Prefix)
	gone := entryOf(r, path)
	i, sure := gone.find(list, isIPv4(r.Prefix))
	if i < 0 || !sure && e.again {
		if len(list) == 0 && gone.protocol == ProtocolBGP {
			c.beyond = max(c.beyond-1, 0)
		}
		return len(list) > 0 && gone.protocol == ProtocolBGP
	}
	sure = sure && list[i].protocol == gone.protocol
	if !isIPv4(r.Prefix) && list[i].joins(gone) {
		// The kernel deletes IPv6 next hops one by one.
		left, removed := withoutHops(list[i].path, path)
		if left != model.MakePath(model.PathUnicast) {
			next := list[i]
			next.path = left
			c.exchange(list, i, next)
			c.put(r.Prefix, list)
			return removed == 0 || !sure
		}
	}
	c.count(list[i], -1)
	c.put(r.Prefix, slices.Delete(list, i, i+1))
	return !sure
}

// find finds the route of a list that a message of removal means; sure is false if it
// is only the likeliest.
func (e entry) find(list []entry, ipv4 bool) (i int, sure bool) {
	same := func(old entry) bool { return old.metric == e.metric && old.protocol == e.protocol }
	if i = slices.IndexFunc(list, func(old entry) bool {
		return same(old) && (e.nexthop != 0 && old.nexthop == e.nexthop || sameHops(old.path, e.path))
	}); i >= 0 {
		return i, true
	}
	if !ipv4 {
		if i = slices.IndexFunc(list, e.joins); i >= 0 {
			return i, true
		}
	}
	return slices.IndexFunc(list, same), false
}

// uses reports whether any route goes out of the link, or stands before one
// of BGP's while it does.
func (c *contents) uses(link int32) bool {
	var room [16]model.NextHop
	out := func(path model.Path) bool {
		return slices.ContainsFunc(path.NextHops(room[:0]), func(h model.NextHop) bool { return h.Link == link })
	}
	for path := range c.paths {
		if out(path) {
			return true
		}
	}
	for prefix, list := range c.others {
		if first := c.first[prefix]; first.protocol != ProtocolBGP && out(first.path) {
			return true
		}
		for _, e := range list {
			if e.protocol != ProtocolBGP && out(e.path) {
				return true
			}
		}
	}
	return false
}

func (c *contents) apply(e *event, nexthops map[uint32]nexthop) (odd bool) {
	path := e.route.Path
	if e.route.Unresolved {
		path = resolve(nexthops, e.route.NexthopID)
	}
	if e.removed {
		return c.remove(e, path)
	}
	return c.add(e, path)
}

// keep adds the IPv6 routes of old that c has no route for, and returns how many
// prefixes these were.
func (c *contents) keep(old *contents) (kept int) {
	for prefix := range old.first {
		if _, found := c.first[prefix]; found || isIPv4(prefix) || c.full() {
			continue
		}
		list := old.list(prefix)
		for _, e := range list {
			c.count(e, 1)
		}
		c.put(prefix, list)
		kept++
	}
	return kept
}
