package ovnnb

import (
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// routes finds the rows of ours in libovsdb's cache by network and prefix. It
// has nothing that the cache has not; events say where to look.
type routes struct {
	node     string
	networks map[string]*networkRoutes
	byPort   map[string]*networkRoutes
	// unmatched are rows of ours that leave by no port that we know, and where
	// that is.
	unmatched map[model.RowID]string
	// lost are rows of ours that are in no part that we read.
	lost map[model.RowID]struct{}
	// vanished are rows of ours that went from our sight, not by our doing.
	vanished map[model.RowID]struct{}
	// unmatchedChanged is called when they change.
	unmatchedChanged func()
}

// networkRoutes are our rows of one network.
type networkRoutes struct {
	name string
	// port is the output port that the rows must have.
	port string
	// marks are the rows' external_ids, by part.
	marks    [parts]json.RawMessage
	byPrefix map[netip.Prefix]*route
	// rows is how many there are of them.
	rows int
	// changed are the prefixes whose rows changed since it was last asked for,
	// other than by transactions that are under way.
	changed map[netip.Prefix]struct{}
	// coming are the rows that these write, leaving those that they delete.
	// Telling them as changes would have every row of a full import looked at
	// twice.
	coming  map[written]struct{}
	leaving map[model.RowID]struct{}
	// notify is called after changes, if the network is watched.
	notify func()
}

// route is one of our rows, kept small.
type route struct {
	id     model.RowID
	hop    netip.Addr
	intact bool
	// next is the next row with the same prefix.
	next *route
}

func newRoutes(node string, unmatchedChanged func()) *routes {
	return &routes{
		node: node, unmatchedChanged: unmatchedChanged, networks: map[string]*networkRoutes{}, byPort: map[string]*networkRoutes{},
		unmatched: map[model.RowID]string{}, lost: map[model.RowID]struct{}{}, vanished: map[model.RowID]struct{}{},
	}
}

// network returns the rows of a network, making room for them; created is set if it
// did. Then unmatched rows may belong to the network.
func (r *routes) network(name string) (n *networkRoutes, created bool) {
	if old := r.networks[name]; old != nil {
		return old, false
	}
	n = &networkRoutes{
		name: name, port: ovnk.NamesOf(name).GatewayRouterExternalPort(r.node), marks: marksOf(name, r.node), byPrefix: map[netip.Prefix]*route{},
		changed: map[netip.Prefix]struct{}{}, coming: map[written]struct{}{}, leaving: map[model.RowID]struct{}{},
	}
	r.networks[name], r.byPort[n.port] = n, n
	return n, true
}

// written is what a row that we write says.
type written struct {
	prefix netip.Prefix
	hop    netip.Addr
}

// expect notes what a transaction is about to change.
func (n *networkRoutes) expect(changes []model.RowChange) {
	for i := range changes {
		if c := &changes[i]; c.Verb == model.RowDelete {
			n.leaving[c.ID] = struct{}{}
		} else {
			n.coming[written{c.Prefix, c.NextHop}] = struct{}{}
		}
	}
}

// settle takes back what expect noted, after the transaction.
func (n *networkRoutes) settle(changes []model.RowChange) {
	for i := range changes {
		delete(n.leaving, changes[i].ID)
		delete(n.coming, written{changes[i].Prefix, changes[i].NextHop})
	}
	// A map keeps the room of its largest size.
	if len(n.coming) == 0 && len(n.leaving) == 0 && len(changes) > 64 {
		n.coming, n.leaving = map[written]struct{}{}, map[model.RowID]struct{}{}
	}
}

// came reports whether a row is as a transaction in progress writes it, but only
// once: if something else writes the same row at the same time, that is an event.
func (n *networkRoutes) came(prefix netip.Prefix, row *route) bool {
	w := written{prefix, row.hop}
	if _, found := n.coming[w]; !found || !row.intact {
		return false
	}
	delete(n.coming, w)
	return true
}

// forget drops all rows, before they are read again.
func (r *routes) forget() {
	clear(r.unmatched)
	for _, n := range r.networks {
		n.byPrefix, n.rows = map[netip.Prefix]*route{}, 0
		clear(n.changed)
	}
}

// place is where a row is found.
type place struct {
	port   string
	prefix netip.Prefix
}

func (r *staticRoute) place() place { return place{r.port(), r.parsePrefix()} }

// put replaces what is known of a row: now is what it is, nil where it is no
// more, and before where it may have been.
func (r *routes) put(id model.RowID, now *staticRoute, before ...place) {
	var at place
	if now != nil {
		at = now.place()
	}
	for _, old := range before {
		if (now == nil || old != at) && r.remove(id, old) && now == nil {
			r.noteVanished(id)
		}
	}
	if now == nil {
		delete(r.unmatched, id)
		return
	}
	n := r.byPort[at.port]
	if n == nil {
		r.unmatched[id] = at.port
		r.unmatchedChanged()
		return
	}
	delete(r.unmatched, id)
	hop, known := now.parseNextHop()
	next := route{id: id, hop: hop, intact: known && at.prefix.IsValid() && now.plain()}
	n.put(at.prefix, next)
}

func (n *networkRoutes) put(prefix netip.Prefix, next route) {
	row := n.byPrefix[prefix]
	for row != nil && row.id != next.id {
		row = row.next
	}
	switch {
	case row == nil:
		next.next = n.byPrefix[prefix]
		n.byPrefix[prefix] = &next
		n.rows++
	case row.hop == next.hop && row.intact == next.intact:
		return
	default:
		row.hop, row.intact = next.hop, next.intact
	}
	if !n.came(prefix, &next) {
		n.touch(prefix)
	}
}

// remove drops a row; surprising is set if no transaction of ours removed it.
func (r *routes) remove(id model.RowID, at place) (surprising bool) {
	n := r.byPort[at.port]
	if n == nil {
		return false
	}
	var previous *route
	for row := n.byPrefix[at.prefix]; row != nil; previous, row = row, row.next {
		if row.id != id {
			continue
		}
		switch {
		case previous != nil:
			previous.next = row.next
		case row.next != nil:
			n.byPrefix[at.prefix] = row.next
		default:
			delete(n.byPrefix, at.prefix)
		}
		n.rows--
		_, expected := n.leaving[id]
		if !expected {
			n.touch(at.prefix)
		}
		return !expected
	}
	return false
}

func (n *networkRoutes) touch(prefix netip.Prefix) {
	if n.notify != nil {
		n.changed[prefix] = struct{}{}
		n.notify()
	}
}

// anywhereAtMost bounds the rows that one transaction takes off unknown routers.
const anywhereAtMost = 100

// leftover is a row of ours that is to go.
type leftover struct {
	id model.RowID
	place
}

// leftovers are rows of no network of these, at most limit.
func (r *routes) leftovers(networks []string, limit int) (out []leftover) {
	for id := range r.lost {
		// Their router is not known, so all routers are searched, which takes time.
		if len(out) >= min(limit, anywhereAtMost) {
			return out
		}
		out = append(out, leftover{id: id})
	}
	for id, port := range r.unmatched {
		if len(out) >= limit {
			return out
		}
		out = append(out, leftover{id, place{port: port}})
	}
	for name, n := range r.networks {
		if slices.Contains(networks, name) {
			continue
		}
		for prefix, row := range n.byPrefix {
			for ; row != nil && len(out) < limit; row = row.next {
				out = append(out, leftover{row.id, place{n.port, prefix}})
			}
		}
	}
	return out
}
