package kernel

import (
	"slices"
	"time"
)

// listDevices lists the links, unless they are known.
func (m *Mirror) listDevices() error {
	m.mu.Lock()
	stale, epoch := m.devicesStale, m.epoch
	m.mu.Unlock()
	if !stale {
		return nil
	}
	links, err := dumpLinks(m.options.Namespace)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links = links
	m.names = make(map[string]int32, len(links))
	for index, link := range links {
		m.names[link.Name] = index
	}
	// What an event changed meanwhile is overwritten by an older state.
	m.devicesStale, m.nexthopsStale = m.epoch != epoch, true
	if m.devicesStale {
		m.poke()
	}
	m.options.LinksChanged()
	return nil
}

// listNexthops lists the nexthop objects whenever a table is listed, too: the
// kernel flushes those of a link that goes down without a message, and takes
// them out of their groups (nexthop_flush_dev). It is not settled where an
// event came meanwhile.
func (m *Mirror) listNexthops() (settled bool, err error) {
	m.mu.Lock()
	needed, epoch := m.nexthopsStale || m.anyDue(), m.nexthopEpoch
	m.mu.Unlock()
	if !needed {
		return true, nil
	}
	nexthops, err := dumpNexthops(m.options.Namespace)
	if err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, before := range m.nexthops {
		if now, found := nexthops[id]; !found || !now.equal(before) {
			m.nexthopChanged(id)
		}
	}
	m.nexthops = nexthops
	m.nexthopsStale = m.nexthopEpoch != epoch
	return !m.nexthopsStale, nil
}

func (n nexthop) equal(o nexthop) bool {
	return n.hop == o.hop && n.blackhole == o.blackhole && slices.Equal(n.group, o.group)
}

// anyDue reports whether a table is to be listed now; the caller holds the
// lock, as for all that follows.
func (m *Mirror) anyDue() bool {
	now := time.Now()
	for t := range m.tables {
		if t.stale != "" && !now.Before(t.notBefore) {
			return true
		}
	}
	return false
}

// nexthopChanged has the tables listed that use a nexthop object.
func (m *Mirror) nexthopChanged(id uint32) {
	for t := range m.tables {
		if t.listing || t.routes.nexthops[id] > 0 || m.memberUsed(t, id) {
			m.outdated(t, CauseNexthop)
		}
	}
}

// linkOfNexthop reports whether a nexthop object goes out of the link.
func (m *Mirror) linkOfNexthop(index int32) bool {
	for _, n := range m.nexthops {
		if n.hop.Link == index {
			return true
		}
	}
	return false
}
