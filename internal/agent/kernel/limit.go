package kernel

import (
	"net/netip"
	"time"
)

const (
	// mostReplayed bounds the events that are kept while a table is listed; it
	// is listed again where there were more.
	mostReplayed = 1 << 16
	// roomFactor leaves by far most of the time to others where a table with
	// more routes than are kept is listed only to fill what became free.
	roomFactor = 30
	firstRoom  = time.Second
	// tellBeyond is how often a change of the number of routes beyond the limit is
	// reported.
	tellBeyond = time.Second
)

// Preferred are prefixes that a table with a limit keeps before others. Those
// beyond the limit are counted only, so that a flood costs no memory.
type Preferred interface {
	// Count is how many there are.
	Count() int
	Has(prefix netip.Prefix) bool
}

// Reconsider lists the table again if not all of it is kept, because the preferred
// prefixes have changed. If it does, the table is not ready until it is listed.
func (t *Table) Reconsider() (begun bool) {
	t.mirror.mu.Lock()
	defer t.mirror.mu.Unlock()
	if t.listed && t.routes.beyond > 0 {
		t.reconsider()
		return true
	}
	return false
}

// reconsider drops everything; the caller holds the lock.
func (t *Table) reconsider() {
	t.listed, t.stale, t.notBefore = false, CauseStart, time.Time{}
	// What is kept now is no reason to keep it.
	limit := t.routes.limit
	t.routes = newContents(limit)
	t.mirror.poke()
}

// remember keeps an event for a listing under way.
func (t *Table) remember(e *event) {
	switch {
	case !t.listing:
	case t.missed || len(t.replay) >= mostReplayed:
		t.missed, t.replay = true, nil
	default:
		t.replay = append(t.replay, *e)
		t.replay[len(t.replay)-1].again = true
	}
}

// choice decides which prefixes of a listing are kept.
type choice struct {
	limit     int
	preferred Preferred
	// known are the prefixes that were kept before.
	known map[netip.Prefix]entry
	// newcomers is how many others there is room for.
	newcomers int
}

func (t *Table) choice() choice {
	out := choice{limit: t.routes.limit, preferred: t.preferred, known: t.routes.first}
	expected := len(t.routes.first)
	if out.preferred != nil && !t.listed {
		expected = max(expected, out.preferred.Count())
	}
	out.newcomers = max(out.limit-expected, 0)
	return out
}

// admits reports whether a route of a prefix that is not in c yet is kept; the
// caller holds no lock.
func (x *choice) admits(c *contents, prefix netip.Prefix, known func(netip.Prefix) bool) bool {
	if x.limit == 0 || len(c.first) < x.limit && known(prefix) {
		return true
	}
	if x.newcomers > 0 {
		x.newcomers--
		return true
	}
	return false
}

// fillRoom has the tables listed that have room for routes beyond their limit; it
// calls later with the time after which to call it again.
func (m *Mirror) fillRoom(later func(time.Duration)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for t := range m.tables {
		at, wanted := t.wantsRoom()
		if early := time.Until(at); wanted && early > 0 {
			later(early)
		} else if wanted {
			m.outdated(t, CauseRoom)
		}
	}
}

// wantsRoom returns when to list a table that has routes beyond its limit, and room
// for some.
func (t *Table) wantsRoom() (at time.Time, wanted bool) {
	return t.roomAfter, t.stale == "" && t.listed && t.routes.beyond > 0 && !t.routes.full()
}
