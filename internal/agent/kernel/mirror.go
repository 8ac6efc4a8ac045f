package kernel

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Why a table is listed. The values appear in metrics.
const (
	CauseStart     = "start"
	CauseOverflow  = "overflow"
	CauseLink      = "link"
	CauseNexthop   = "nexthop"
	CauseAddress   = "address"
	CauseSettled   = "settled"
	CauseAmbiguous = "ambiguous"
	CauseRoom      = "room"
	CauseInterval  = "interval"
)

// Options are what a Mirror needs.
type Options struct {
	// Namespace is the network namespace to look into; the zero value is the
	// process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// Buffer is the size of the socket's receive buffer; 32 MiB if 0.
	Buffer int
	// Interval is how often every table is listed without a cause; 10 min if 0.
	Interval time.Duration
	// LinksChanged is called when a device came, went, or changed its state. It
	// must return at once and call nothing of this package.
	LinksChanged func()
}

// Counters count what happened to the mirror.
type Counters struct {
	Events, Overflows, Interrupted, Malformed atomic.Uint64
	// Drift counts prefixes that a listing without a cause found wrong: no event had
	// reported the change.
	Drift atomic.Uint64
	// Listings by cause.
	mu       sync.Mutex
	listings map[string]uint64
}

// Listings returns how often tables were listed, by cause.
func (c *Counters) Listings() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]uint64{}
	for cause, n := range c.listings {
		out[cause] = n
	}
	return out
}

// Mirror follows the kernel's routing tables.
type Mirror struct {
	Counters Counters
	options  Options
	// list is DumpRoutes.
	list func(namespace netns.NsHandle, table uint32, each func(*Route)) error

	mu     sync.Mutex
	tables map[*Table]struct{}
	links  map[int32]Link
	// names are the indexes of links by name.
	names    map[string]int32
	nexthops map[uint32]nexthop
	// devicesStale and nexthopsStale are set where links and nexthop objects must
	// be listed.
	devicesStale, nexthopsStale bool
	// epoch and nexthopEpoch count events about them, to see whether a listing
	// missed any.
	epoch, nexthopEpoch uint64
	// standIns are the next hops that FRR's stand-in means, by link. Neighbors
	// are followed once a route has it.
	standIns                          map[int32]netip.Addr
	neighborsFollowed, neighborsStale bool
	subscription                      *rtnetlink.Subscription
	wake                              chan struct{}
}

// groups are the kinds of events that can change a route. An IPv4 route goes
// without a message of its own when its link, its nexthop object or its
// source address goes.
var groups = []uint{
	unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_LINK,
	unix.RTNLGRP_NEXTHOP, unix.RTNLGRP_IPV4_IFADDR,
}

// NewMirror returns a Mirror that does nothing until Run.
func NewMirror(options Options) *Mirror {
	if options.Buffer <= 0 {
		options.Buffer = 32 << 20
	}
	if options.Interval <= 0 {
		options.Interval = 10 * time.Minute
	}
	if options.LinksChanged == nil {
		options.LinksChanged = func() {}
	}
	return &Mirror{
		options: options, list: DumpRoutes,
		tables: map[*Table]struct{}{}, links: map[int32]Link{}, names: map[string]int32{}, nexthops: map[uint32]nexthop{},
		devicesStale: true, wake: make(chan struct{}, 1),
		subscription: &rtnetlink.Subscription{Namespace: options.Namespace, Groups: groups, Buffer: options.Buffer},
	}
}

// Watch begins to mirror a table. notify is called after every change, with a
// lock held: it must return at once and call nothing of this package.
func (m *Mirror) Watch(table uint32, notify func()) *Table { return m.WatchUpTo(table, 0, nil, notify) }

// WatchUpTo is Watch for a table of which no more than limit prefixes are kept,
// 0 for no limit, the preferred ones first.
func (m *Mirror) WatchUpTo(table uint32, limit int, preferred Preferred, notify func()) *Table {
	t := &Table{
		mirror: m, id: table, notify: notify, preferred: preferred, routes: newContents(limit), stale: CauseStart,
		changed: map[netip.Prefix]struct{}{},
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tables[t] = struct{}{}
	m.poke()
	return t
}

// Link finds a device by name; known is false until the devices were listed.
func (m *Mirror) Link(name string) (link Link, found, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	link, found = m.links[m.names[name]]
	return link, found && link.Name == name, !m.devicesStale
}

// Links returns all devices by index.
func (m *Mirror) Links() map[int32]Link {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[int32]Link, len(m.links))
	for index, link := range m.links {
		out[index] = link
	}
	return out
}

func (m *Mirror) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// outdated has a table listed; the caller holds the lock.
func (m *Mirror) outdated(t *Table, cause string) {
	if t.stale == "" {
		t.stale = cause
	}
	m.poke()
}

func (m *Mirror) allOutdated(cause string) {
	m.devicesStale = true
	for t := range m.tables {
		// A listing that is under way may have missed events.
		t.stale = cause
	}
	m.poke()
}

// Run mirrors until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	return m.subscription.Follow(ctx, m.apply, m.lost, m.follow)
}

// lost has everything listed: a BGP table that comes all at once may be more
// than the socket's buffer holds.
func (m *Mirror) lost(cause error) {
	if errors.Is(cause, syscall.ENOBUFS) {
		m.Counters.Overflows.Add(1)
	}
	m.options.Log.Info("Events of the kernel were lost; listing everything again", "cause", cause.Error())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.neighborsStale = m.neighborsFollowed
	m.allOutdated(CauseOverflow)
	for t := range m.tables {
		if !t.listed {
			t.stale = CauseStart
		}
	}
}

func (m *Mirror) apply(messages []syscall.NetlinkMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range messages {
		message := &messages[i]
		m.Counters.Events.Add(1)
		var err error
		switch message.Header.Type {
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			err = m.routeEvent(message)
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			err = m.linkEvent(message.Data, message.Header.Type == unix.RTM_DELLINK)
		case unix.RTM_NEWNEXTHOP, unix.RTM_DELNEXTHOP:
			err = m.nexthopEvent(message.Data, message.Header.Type == unix.RTM_DELNEXTHOP)
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			err = m.neighborEvent(message.Data)
		case unix.RTM_DELADDR:
			// IPv4 routes with this preferred source go without a message.
			for t := range m.tables {
				m.outdated(t, CauseAddress)
			}
		}
		if err != nil {
			// What can't be read may have been of any table.
			m.Counters.Malformed.Add(1)
			m.options.Log.Error(err, "A message of the kernel can't be read; listing everything again")
			m.allOutdated(CauseAmbiguous)
		}
	}
}

func (m *Mirror) routeEvent(message *syscall.NetlinkMessage) error {
	table, _, err := tableOf(message.Data)
	if err != nil {
		return err
	}
	var e *event
	for t := range m.tables {
		if t.id != table {
			continue
		}
		if e == nil {
			e = &event{
				removed:  message.Header.Type == unix.RTM_DELROUTE,
				replace:  message.Header.Flags&unix.NLM_F_REPLACE != 0,
				appended: message.Header.Flags&unix.NLM_F_APPEND != 0,
			}
			if e.route, err = DecodeRoute(message.Data); err != nil {
				return err
			}
			if e.route.Cloned {
				return nil
			}
		}
		pending, beyond := len(t.changed), t.routes.beyond
		t.apply(e)
		switch {
		case len(t.changed) != pending || t.all:
			if len(t.routes.standIns) > 0 && !m.neighborsFollowed {
				m.poke()
			}
			t.notify()
		case t.routes.beyond != beyond && time.Since(t.toldBeyond) > tellBeyond:
			t.toldBeyond = time.Now()
			t.notify()
		}
	}
	return nil
}

func (m *Mirror) linkEvent(payload []byte, removed bool) error {
	if len(payload) > 0 && payload[0] == unix.AF_BRIDGE {
		// A port joined or left a bridge; its own message has the rest.
		return nil
	}
	link, err := DecodeLink(payload)
	if err != nil {
		return err
	}
	m.epoch++
	before, found := m.links[link.Index]
	if m.names[before.Name] == link.Index {
		delete(m.names, before.Name)
	}
	if removed {
		delete(m.links, link.Index)
	} else {
		m.links[link.Index] = link
		m.names[link.Name] = link.Index
	}
	if !removed && found && before == link {
		return nil
	}
	if m.linkOfNexthop(link.Index) {
		m.nexthopEpoch++
		m.nexthopsStale = true
		m.poke()
	}
	for t := range m.tables {
		if t.listing || t.routes.uses(link.Index) || link.VRFTable == t.id || before.VRFTable == t.id {
			m.outdated(t, CauseLink)
		}
	}
	m.options.LinksChanged()
	return nil
}

func (m *Mirror) nexthopEvent(payload []byte, removed bool) error {
	n, err := decodeNexthop(payload)
	if err != nil {
		return err
	}
	m.nexthopEpoch++
	_, known := m.nexthops[n.id]
	if removed {
		delete(m.nexthops, n.id)
	} else {
		m.nexthops[n.id] = n
	}
	if !removed && !known {
		return nil
	}
	m.nexthopChanged(n.id)
	return nil
}

// memberUsed reports whether a table uses a group that id is in.
func (m *Mirror) memberUsed(t *Table, id uint32) bool {
	for used := range t.routes.nexthops {
		for _, member := range m.nexthops[used].group {
			if member.id == id {
				return true
			}
		}
	}
	return false
}
