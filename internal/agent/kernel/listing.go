package kernel

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

const (
	// firstPause is the least time between two listings of a table.
	firstPause = 250 * time.Millisecond
	// pauseFactor leaves the larger part of the time to the events, even
	// where every listing is followed by a cause for the next.
	pauseFactor = 4
	// retryPause comes after a listing that failed or was interrupted.
	retryPause = 50 * time.Millisecond
	// mostRechecks is how many doubtful listings in a row are repeated, so that
	// endless changes don't have a table listed endlessly.
	mostRechecks = 5
	// backlog is how long an event may wait to be received while many come.
	backlog = time.Second
	// lateness is how long after a listing an event may be received of what
	// happened during it.
	lateness = 50 * time.Millisecond
)

// errMissed is why a listing can't be used.
var errMissed = errors.New("there were more events during a listing than are kept")

// follow lists what is stale until ctx ends.
func (m *Mirror) follow(ctx context.Context) {
	interval := time.NewTicker(m.options.Interval)
	defer interval.Stop()
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-interval.C:
			m.mu.Lock()
			for t := range m.tables {
				m.outdated(t, CauseInterval)
			}
			m.mu.Unlock()
		case <-m.wake:
		case <-retry.C:
		}
		if again, wait := m.listStale(ctx); again {
			retry.Reset(wait)
		}
	}
}

// listStale lists everything stale whose time has come; again is set if there is more
// to do after wait.
func (m *Mirror) listStale(ctx context.Context) (again bool, wait time.Duration) {
	later := func(d time.Duration) {
		if !again || d < wait {
			again, wait = true, d
		}
	}
	if err := m.listDevices(); err != nil {
		m.failed(err)
		later(retryPause)
		return again, wait
	}
	m.fillRoom(later)
	if settled, err := m.listNexthops(); err != nil {
		m.failed(err)
		later(retryPause)
		return again, wait
	} else if !settled {
		later(retryPause)
	}
	for _, t := range m.staleTables() {
		if ctx.Err() != nil {
			return false, 0
		}
		if early := time.Until(t.notBefore); early > 0 {
			later(early)
			continue
		}
		if err := m.listTable(t); err != nil {
			m.failed(err)
			later(retryPause)
		}
	}
	if err := m.listNeighbors(); err != nil {
		m.failed(err)
		later(retryPause)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for t := range m.tables {
		if t.stale != "" {
			later(max(time.Until(t.notBefore), 0))
		}
	}
	return again, wait
}

func (m *Mirror) failed(err error) {
	if errors.Is(err, errMissed) {
		m.options.Log.Info("A table changed faster than it could be listed; listing it again")
		return
	}
	if rtnetlink.Interrupted(err) {
		m.Counters.Interrupted.Add(1)
		m.options.Log.V(1).Info("A listing was interrupted; nothing is taken as gone, trying again")
		return
	}
	m.options.Log.Error(err, "The kernel's state is not known; nothing is changed, trying again")
}

// staleTables returns them in a steady order.
func (m *Mirror) staleTables() []*Table {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Table
	for t := range m.tables {
		if t.stale != "" {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return int(a.id) - int(b.id) })
	return out
}

// listTable lists one table and replaces the mirror by it.
func (m *Mirror) listTable(t *Table) error {
	m.mu.Lock()
	cause := t.stale
	t.stale, t.listing, t.missed, t.replay = "", true, false, nil
	removals, choice := t.removals, t.choice()
	fresh := newContents(t.routes.limit)
	if size := len(t.routes.first); size > 1024 {
		fresh.first = make(map[netip.Prefix]entry, size)
	}
	nexthops := maps.Clone(m.nexthops)
	m.mu.Unlock()

	began := time.Now()
	known := func(prefix netip.Prefix) bool {
		m.mu.Lock()
		_, found := t.routes.first[prefix]
		m.mu.Unlock()
		return found || choice.preferred != nil && choice.preferred.Has(prefix)
	}
	err := m.list(m.options.Namespace, t.id, func(r *Route) {
		if _, found := fresh.first[r.Prefix]; !found && r.Protocol == ProtocolBGP && !choice.admits(&fresh, r.Prefix, known) {
			fresh.beyond++
			return
		}
		path := r.Path
		if r.Unresolved {
			path = resolve(nexthops, r.NexthopID)
		}
		fresh.listed(r, path)
	})

	m.mu.Lock()
	defer m.mu.Unlock()
	replay := t.replay
	t.listing, t.replay = false, nil
	if err == nil && t.missed {
		err = errMissed
	}
	if err != nil {
		if t.stale == "" {
			t.stale = cause
		}
		return err
	}
	for i := range replay {
		fresh.apply(&replay[i], m.nexthops)
	}
	m.recheck(t, &fresh, cause, t.removals != removals)
	differences, beyond := len(fresh.first), t.routes.beyond
	if t.listed {
		differences = t.replaceWith(fresh)
	} else {
		// Everything will be looked at; there is no need to list it.
		t.routes = fresh
	}
	m.listedTable(t, cause, differences, time.Since(began))
	if t.all || len(t.changed) > 0 || t.routes.beyond != beyond {
		t.notify()
	}
	return nil
}

// recheck keeps IPv6 routes that a listing lacks although no event removed them,
// until another listing lacks them too, and has the table listed again.
//
// The kernel lists IPv6 routes in portions. When a route comes in between, it
// starts from the top and skips as many prefixes as it has listed
// (fib6_dump_table, since sernums are compared); if others went meanwhile, it
// also skips as many routes that did not change. It does not say so:
// NLM_F_DUMP_INTR is for links, addresses, rules and nexthop objects only.
// IPv4 listings continue after the last key and lose nothing.
//
// noisy is set if IPv6 routes went while the table was listed; the caller holds the
// lock.
func (m *Mirror) recheck(t *Table, fresh *contents, cause string, noisy bool) {
	t.unsettledUntil = time.Now().Add(lateness)
	kept := 0
	if believed := t.rechecks > 0 && !noisy || t.rechecks >= mostRechecks; t.listed && !believed {
		kept = fresh.keep(&t.routes)
	}
	if kept == 0 && !noisy || t.rechecks >= mostRechecks {
		t.rechecks = 0
		return
	}
	t.rechecks++
	m.Counters.Interrupted.Add(1)
	m.options.Log.V(1).Info("IPv6 routes went while they were listed, so that others may be missing; listing them again", "table", t.id, "missing", kept)
	m.outdated(t, cause)
}

// listedTable does the accounts of a listing; the caller holds the lock.
func (m *Mirror) listedTable(t *Table, cause string, differences int, took time.Duration) {
	t.notBefore = time.Now().Add(max(firstPause, pauseFactor*took))
	t.lateUntil = time.Now().Add(backlog)
	t.roomAfter = time.Now().Add(max(firstRoom, roomFactor*took))
	if !t.listed {
		t.listed, t.all, t.since = true, true, time.Now()
		clear(t.changed)
		cause = CauseStart
	}
	switch cause {
	case CauseLink, CauseNexthop, CauseAddress:
		// The kernel announces that a device goes down before it removes the
		// device's IPv4 routes (dev_close_many before NETDEV_DOWN), and since 6.10
		// a dump doesn't wait for that: it is looked at once more.
		if t.stale == "" {
			t.stale = CauseSettled
		}
	}
	if cause == CauseInterval && differences > 0 {
		m.Counters.Drift.Add(uint64(differences))
		m.options.Log.Info("Routes had changed without a message", "table", t.id, "prefixes", differences)
	}
	m.Counters.mu.Lock()
	if m.Counters.listings == nil {
		m.Counters.listings = map[string]uint64{}
	}
	m.Counters.listings[cause]++
	m.Counters.mu.Unlock()
	m.options.Log.V(1).Info("Listed a table", "table", t.id, "cause", cause, "routes", t.routes.len(), "beyond", t.routes.beyond,
		"different", differences, "took", took)
}
