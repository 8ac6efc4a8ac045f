package kernel

import (
	"net/netip"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Table is the mirror of one routing table's BGP routes.
type Table struct {
	mirror *Mirror
	id     uint32
	notify func()

	routes contents
	// listed is set once the table has been listed.
	listed bool
	// stale is why the table has to be listed again, "" where it needn't.
	stale string
	// listing is set while that is under way; events are then kept in replay,
	// to be applied to the new list as well.
	listing bool
	replay  []event
	// notBefore and took pace listings: a burst of causes makes few of them.
	notBefore time.Time
	// removals counts the events that removed an IPv6 route, of any protocol;
	// see Mirror.doubt, as for the other two.
	removals       uint64
	doubts         int
	unsettledUntil time.Time

	changed map[netip.Prefix]struct{}
	all     bool
	since   time.Time
}

// event is a change of a route that the kernel told.
type event struct {
	route   Route
	removed bool
	replace bool
}

// entry is one route of a prefix.
type entry struct {
	path    model.Path
	metric  uint32
	nexthop uint32
	tos     uint8
	// unresolved paths follow from the nexthop object.
	unresolved bool
}

// contents are the routes of a table by prefix. A prefix nearly always has
// one; more of them, with other metrics, are in others.
type contents struct {
	best   map[netip.Prefix]entry
	others map[netip.Prefix][]entry
	// paths and nexthops count the routes that use them, so that it is known
	// whether the loss of a link or a nexthop object concerns the table.
	paths    map[model.Path]int
	nexthops map[uint32]int
}

func newContents() contents {
	return contents{
		best: map[netip.Prefix]entry{}, others: map[netip.Prefix][]entry{},
		paths: map[model.Path]int{}, nexthops: map[uint32]int{},
	}
}

func (c *contents) count(e entry, by int) {
	if c.paths[e.path] += by; c.paths[e.path] <= 0 {
		delete(c.paths, e.path)
	}
	if e.nexthop != 0 {
		if c.nexthops[e.nexthop] += by; c.nexthops[e.nexthop] <= 0 {
			delete(c.nexthops, e.nexthop)
		}
	}
}

// list returns all routes of a prefix, the one that the kernel uses first.
func (c *contents) list(prefix netip.Prefix) []entry {
	best, found := c.best[prefix]
	if !found {
		return nil
	}
	return append([]entry{best}, c.others[prefix]...)
}

// put replaces the routes of a prefix.
func (c *contents) put(prefix netip.Prefix, list []entry) {
	if len(list) == 0 {
		delete(c.best, prefix)
		delete(c.others, prefix)
		return
	}
	if len(list) > 1 {
		slices.SortStableFunc(list, func(a, b entry) int {
			if a.tos != b.tos {
				return int(a.tos) - int(b.tos)
			}
			return compareMetrics(a.metric, b.metric)
		})
		c.others[prefix] = list[1:]
	} else {
		delete(c.others, prefix)
	}
	c.best[prefix] = list[0]
}

func compareMetrics(a, b uint32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// add takes a route into the table. odd is set where what is there can't be
// told from the message alone.
func (c *contents) add(r *Route, path model.Path, replace, merge bool) (odd bool) {
	next := entry{path: path, metric: r.Metric, nexthop: r.NexthopID, tos: r.TOS, unresolved: r.Unresolved}
	bgp := r.Protocol == ProtocolBGP
	old, found := c.best[r.Prefix]
	if !found {
		if bgp {
			c.best[r.Prefix] = next
			c.count(next, 1)
		}
		return false
	}
	if old == next {
		return false
	}
	list := c.list(r.Prefix)
	i := slices.IndexFunc(list, func(e entry) bool { return e.metric == next.metric && e.tos == next.tos })
	switch {
	case i < 0 && bgp:
		list = append(list, next)
		c.count(next, 1)
	case i < 0:
		return false
	case !bgp && replace:
		// Another protocol's route took the place.
		c.count(list[i], -1)
		list = slices.Delete(list, i, i+1)
	case !bgp:
		return false
	case merge && !isIPv4(r.Prefix) && !r.Unresolved && r.NexthopID == 0:
		// Older kernels list each next hop of an IPv6 route apart.
		next.path = model.MakePath(model.PathUnicast, append(list[i].path.NextHops(nil), path.NextHops(nil)...)...)
		c.count(list[i], -1)
		c.count(next, 1)
		list[i] = next
	case merge:
		// Of IPv4 routes that differ in their next hops only the first counts.
	default:
		// Without NLM_F_REPLACE an IPv4 route was appended to one of the same
		// metric. FRR doesn't do that; somebody with iproute2 may.
		odd = isIPv4(r.Prefix) && !replace && list[i].path != next.path
		c.count(list[i], -1)
		c.count(next, 1)
		list[i] = next
	}
	c.put(r.Prefix, list)
	return odd
}

// remove takes a route off the table.
func (c *contents) remove(r *Route, path model.Path) (odd bool) {
	if r.Protocol != ProtocolBGP {
		return false
	}
	list := c.list(r.Prefix)
	i := slices.IndexFunc(list, func(e entry) bool { return e.metric == r.Metric && e.tos == r.TOS })
	if i < 0 {
		return false
	}
	old := list[i]
	byObject := r.NexthopID != 0 && r.NexthopID == old.nexthop
	if !isIPv4(r.Prefix) && !byObject && old.path.Kind() == model.PathUnicast && path.Kind() == model.PathUnicast {
		// The kernel deletes IPv6 next hops one by one.
		left, removed := withoutHops(old.path, path)
		if left != model.MakePath(model.PathUnicast) {
			next := old
			next.path = left
			c.count(old, -1)
			c.count(next, 1)
			list[i] = next
			c.put(r.Prefix, list)
			return removed == 0
		}
	} else {
		odd = !byObject && !sameHops(old.path, path)
	}
	c.count(old, -1)
	c.put(r.Prefix, slices.Delete(list, i, i+1))
	return odd
}

// uses reports whether any route goes out of the link.
func (c *contents) uses(link int32) bool {
	var room [16]model.NextHop
	for path := range c.paths {
		for _, hop := range path.NextHops(room[:0]) {
			if hop.Link == link {
				return true
			}
		}
	}
	return false
}

// apply applies an event; the caller holds the mirror's lock.
func (t *Table) apply(e *event) {
	if t.listing {
		t.replay = append(t.replay, *e)
	}
	if e.removed && !isIPv4(e.route.Prefix) {
		t.removals++
		if !t.listing && time.Now().Before(t.unsettledUntil) {
			t.unsettledUntil = time.Time{}
			t.mirror.outdated(t, CauseSettled)
		}
	}
	before, had := t.routes.best[e.route.Prefix]
	odd := t.routes.apply(e, t.mirror.nexthops)
	after, has := t.routes.best[e.route.Prefix]
	if had != has || before.path != after.path {
		t.touch(e.route.Prefix)
	}
	if odd {
		t.mirror.outdated(t, CauseAmbiguous)
	}
}

func (c *contents) apply(e *event, nexthops map[uint32]nexthop) (odd bool) {
	path := e.route.Path
	if e.route.Unresolved {
		path = resolve(nexthops, e.route.NexthopID)
	}
	if e.removed {
		return c.remove(&e.route, path)
	}
	return c.add(&e.route, path, e.replace, false)
}

// keep adds the IPv6 routes of old that c has no route for, and tells how many
// prefixes that were.
func (c *contents) keep(old *contents) (kept int) {
	for prefix := range old.best {
		if _, found := c.best[prefix]; found || isIPv4(prefix) {
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

func (t *Table) touch(prefix netip.Prefix) {
	if len(t.changed) == 0 && !t.all {
		t.since = time.Now()
	}
	t.changed[prefix] = struct{}{}
}

// replaceWith takes a new listing and tells how many prefixes are not as the
// events had made them.
func (t *Table) replaceWith(fresh contents) (differences int) {
	for prefix, now := range fresh.best {
		if before, found := t.routes.best[prefix]; !found || before.path != now.path {
			t.touch(prefix)
			differences++
		}
	}
	for prefix := range t.routes.best {
		if _, found := fresh.best[prefix]; !found {
			t.touch(prefix)
			differences++
		}
	}
	t.routes = fresh
	return differences
}

// Changes are what happened to a table since it was last asked.
type Changes struct {
	// Ready is false until the table has been listed for the first time.
	Ready bool
	// All is set where every prefix has to be looked at.
	All      bool
	Prefixes []netip.Prefix
	// Since is when the first of them was told.
	Since time.Time
}

// TakeChanges returns what changed since the last time.
func (t *Table) TakeChanges() Changes {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	if !t.listed {
		return Changes{}
	}
	out := Changes{Ready: true, All: t.all, Since: t.since}
	if !t.all {
		out.Prefixes = make([]netip.Prefix, 0, len(t.changed))
		for prefix := range t.changed {
			out.Prefixes = append(out.Prefixes, prefix)
		}
	}
	// A map keeps the room of its largest size.
	if len(t.changed) > 1024 {
		t.changed = map[netip.Prefix]struct{}{}
	} else {
		clear(t.changed)
	}
	t.all, t.since = false, time.Time{}
	return out
}

// Path returns where the kernel sends packets for a prefix.
func (t *Table) Path(prefix netip.Prefix) (path model.Path, found bool) {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	e, found := t.routes.best[prefix]
	return e.path, found
}

// Prefixes returns every prefix that has a route.
func (t *Table) Prefixes() []netip.Prefix {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	out := make([]netip.Prefix, 0, len(t.routes.best))
	for prefix := range t.routes.best {
		out = append(out, prefix)
	}
	return out
}

// Len is how many prefixes have a route.
func (t *Table) Len() int {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	return len(t.routes.best)
}

// ID is the table's number.
func (t *Table) ID() uint32 { return t.id }

// Close stops watching the table.
func (t *Table) Close() {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	delete(t.mirror.tables, t)
}
