package kernel

import (
	"net/netip"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Table is the mirror of one routing table's BGP routes.
type Table struct {
	mirror *Mirror
	id     uint32
	notify func()
	// preferred are the prefixes that are kept where not all can be.
	preferred Preferred

	routes contents
	// listed is set once the table has been listed.
	listed bool
	// stale is why the table has to be listed again, "" where it needn't.
	stale string
	// listing is set while that is under way; events are then kept in replay,
	// to be applied to the new list as well.
	listing bool
	replay  []event
	// lateUntil is how long after a listing events may repeat what it showed.
	lateUntil time.Time
	// missed is set where there were more events than are kept.
	missed bool
	// roomAfter is when the table may be listed only to fill what became free.
	roomAfter time.Time
	// toldBeyond is when it was last reported that more or fewer routes are beyond
	// the limit.
	toldBeyond time.Time
	// notBefore and took pace listings: a burst of causes makes few of them.
	notBefore time.Time
	// removals counts the events that removed an IPv6 route, of any protocol;
	// see Mirror.recheck, as for the other two.
	removals       uint64
	rechecks       int
	unsettledUntil time.Time

	changed map[netip.Prefix]struct{}
	all     bool
	since   time.Time
}

// event is a change of a route that the kernel reported.
type event struct {
	route   Route
	removed bool
	replace bool
	// appended is set where it comes after others of its metric.
	appended bool
	// again is set if a listing may have shown it already.
	again bool
}

// apply applies an event; the caller holds the mirror's lock.
func (t *Table) apply(e *event) {
	now := time.Now()
	t.remember(e)
	if e.removed && !isIPv4(e.route.Prefix) {
		t.removals++
		if !t.listing && now.Before(t.unsettledUntil) {
			t.unsettledUntil = time.Time{}
			t.mirror.outdated(t, CauseSettled)
		}
	}
	if now.Before(t.lateUntil) {
		// It may have waited in the socket while the listing already showed it.
		late := *e
		late.again, e = true, &late
	}
	before, had := t.routes.path(e.route.Prefix)
	odd := t.routes.apply(e, t.mirror.nexthops)
	after, has := t.routes.path(e.route.Prefix)
	if had != has || before != after {
		t.touch(e.route.Prefix)
	}
	if odd {
		t.mirror.outdated(t, CauseAmbiguous)
	}
}

func (t *Table) touch(prefix netip.Prefix) {
	// Prefixes that come and go must not be remembered without bound.
	if limit := t.routes.limit; t.all || limit > 0 && len(t.changed) > 2*limit {
		t.touchAll()
		return
	}
	if len(t.changed) == 0 && !t.all {
		t.since = time.Now()
	}
	t.changed[prefix] = struct{}{}
}

func (t *Table) touchAll() {
	if t.since.IsZero() {
		t.since = time.Now()
	}
	t.all = true
	clear(t.changed)
}

// replaceWith takes a new listing and returns how many prefixes are not as the events
// had made them.
func (t *Table) replaceWith(fresh contents) (differences int) {
	for _, prefix := range fresh.prefixes(nil) {
		now, _ := fresh.path(prefix)
		if before, found := t.routes.path(prefix); !found || before != now {
			t.touch(prefix)
			differences++
		}
	}
	for _, prefix := range t.routes.prefixes(nil) {
		if _, found := fresh.path(prefix); !found {
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
	// Since is when the first of them was reported.
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
	path, found = t.routes.path(prefix)
	if _, standsIn := t.routes.standIns[path]; standsIn {
		path = t.mirror.real(path)
	}
	return path, found
}

// Prefixes returns every prefix that has a route.
func (t *Table) Prefixes() []netip.Prefix {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	return t.routes.prefixes(make([]netip.Prefix, 0, t.routes.len()))
}

// Len is how many prefixes have a route. Of these, beyond are not kept; between two
// listings that number is as exact as events allow.
func (t *Table) Len() (all, beyond int) {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	return t.routes.len() + t.routes.beyond, t.routes.beyond
}

// ID is the table's number.
func (t *Table) ID() uint32 { return t.id }

// Close stops watching the table.
func (t *Table) Close() {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	delete(t.mirror.tables, t)
}
