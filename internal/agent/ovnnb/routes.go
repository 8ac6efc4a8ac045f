package ovnnb

import (
	"maps"
	"net/netip"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// routes are the static routes in the database that concern this agent: its
// own, and those of others that leave by one of its routers. It is what the
// server said, and nothing else.
type routes struct {
	node string
	own  map[model.RowID]*route
	// odd holds our rows that somebody changed, as they are.
	odd map[model.RowID]*content
	// foreign are others' rows, by our router's port.
	foreign  map[model.RowID]*content
	networks map[string]*networkRoutes
	// imports counts rows of OVN-Kubernetes' own route import by output port.
	imports map[string]int
	// lock guards all of this. Only read changes rows, and it parses without
	// the lock, so that nobody waits for the network.
	lock sync.Locker
}

// route is one of our rows, kept small.
type route struct {
	id      model.RowID
	prefix  netip.Prefix
	hop     netip.Addr
	network *networkRoutes
	// next is the network's next row with the same prefix.
	next   *route
	intact bool
}

// networkRoutes are our rows of one network.
type networkRoutes struct {
	name string
	// port is the output port that the rows must have.
	port     string
	byPrefix map[netip.Prefix]*route
	rows     int
	// changed are the prefixes whose rows changed since it was last asked for,
	// other than by the transaction that is under way.
	changed map[netip.Prefix]struct{}
	// coming are the rows that this transaction writes, leaving those that it
	// deletes. Telling them as changes would have every row of a full import
	// looked at twice.
	coming  map[written]struct{}
	leaving map[model.RowID]struct{}
	// notify is told about changes, where the network is watched.
	notify func()
}

func newRoutes(node string, lock sync.Locker) *routes {
	return &routes{
		node: node, lock: lock, own: map[model.RowID]*route{}, odd: map[model.RowID]*content{},
		foreign: map[model.RowID]*content{}, networks: map[string]*networkRoutes{}, imports: map[string]int{},
	}
}

// network returns the rows of a network, making room for them.
func (r *routes) network(name string) *networkRoutes {
	n := r.networks[name]
	if n == nil {
		n = &networkRoutes{
			name: name, port: ovnk.NamesOf(name).GatewayRouterExternalPort(r.node),
			byPrefix: map[netip.Prefix]*route{}, changed: map[netip.Prefix]struct{}{},
		}
		r.networks[name] = n
	}
	return n
}

// written is what a row that we write says.
type written struct {
	prefix netip.Prefix
	hop    netip.Addr
}

// expect notes what a transaction is about to change; without changes,
// nothing.
func (n *networkRoutes) expect(changes []model.RowChange) {
	n.coming, n.leaving = nil, nil
	for i := range changes {
		c := &changes[i]
		if c.Verb == model.RowDelete {
			if n.leaving == nil {
				n.leaving = make(map[model.RowID]struct{}, len(changes)-i)
			}
			n.leaving[c.ID] = struct{}{}
			continue
		}
		if n.coming == nil {
			n.coming = make(map[written]struct{}, len(changes)-i)
		}
		n.coming[written{c.Prefix, c.NextHop}] = struct{}{}
	}
}

// came reports whether a row is as the transaction under way writes it. It is
// so once only: who does the same at the same time is told.
func (n *networkRoutes) came(row *route) bool {
	w := written{row.prefix, row.hop}
	if _, found := n.coming[w]; !found || !row.intact {
		return false
	}
	delete(n.coming, w)
	return true
}

// forget drops all rows, before the server tells them again.
func (r *routes) forget() {
	clear(r.own)
	clear(r.odd)
	clear(r.foreign)
	clear(r.imports)
	// Big maps keep their room when cleared, which is wanted here: the same
	// number of rows is about to come.
	for _, n := range r.networks {
		clear(n.byPrefix)
		clear(n.changed)
		n.rows = 0
	}
}

// read applies the table's part of an update.
func (r *routes) read(in *jsonReader) {
	in.object(func(uuid []byte) {
		id, ok := parseRowID(uuid)
		if !ok {
			in.fail("%q is no UUID", uuid)
			return
		}
		in.object(func(change []byte) {
			switch string(change) {
			case "initial", "insert":
				var c content
				c.read(in, false)
				r.locked(in, func() { r.put(id, c) })
			case "modify":
				var c content
				r.locked(in, func() { c = r.content(id) })
				c.read(in, true)
				r.locked(in, func() { r.put(id, c) })
			case "delete":
				in.skip()
				r.locked(in, func() { r.remove(id) })
			default:
				in.skip()
			}
		})
	})
}

// locked does something unless reading failed.
func (r *routes) locked(in *jsonReader, do func()) {
	if in.err != nil {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	do()
}

// content is what is known of a row.
func (r *routes) content(id model.RowID) content {
	if c := r.odd[id]; c != nil {
		return *c
	}
	if c := r.foreign[id]; c != nil {
		return *c
	}
	if row := r.own[id]; row != nil {
		return content{
			prefix: row.prefix.String(), nextHop: formatNextHop(row.hop), outputPort: row.network.port,
			externalIDs: r.marks(row.network.name),
		}
	}
	return content{}
}

// put replaces what is known of a row.
func (r *routes) put(id model.RowID, c content) {
	network, ours := r.ownerNetwork(&c)
	if !ours {
		r.remove(id)
		r.putForeign(id, c)
		return
	}
	if r.foreign[id] != nil {
		r.remove(id)
	}
	n := r.network(network)
	hop, known := c.parseNextHop()
	next := route{id: id, prefix: c.parsePrefix(), hop: hop, network: n}
	next.intact = known && next.prefix.IsValid() && c.plain() && c.outputPort == n.port && len(c.externalIDs) == 3
	if next.intact {
		delete(r.odd, id)
	} else {
		kept := c
		r.odd[id] = &kept
	}
	row := r.own[id]
	expected := n.came(&next)
	if row != nil {
		r.unlink(row)
		if !expected || row.prefix != next.prefix || row.network != n {
			row.network.touch(row.prefix)
		}
	} else {
		row = &route{}
		r.own[id] = row
	}
	*row = next
	row.next = n.byPrefix[row.prefix]
	n.byPrefix[row.prefix] = row
	n.rows++
	if !expected {
		n.touch(row.prefix)
	}
}

// ownerNetwork tells whether a row is ours, and of which network.
func (r *routes) ownerNetwork(c *content) (network string, ours bool) {
	if c.externalIDs[markOwner] != ownerAgent || c.externalIDs[markNode] != r.node {
		return "", false
	}
	return c.externalIDs[markNetwork], true
}

func (r *routes) putForeign(id model.RowID, c content) {
	r.foreign[id] = &content{outputPort: c.outputPort, externalIDs: maps.Clone(c.externalIDs)}
	if c.externalIDs[ovnk.ExternalIDOwner] == ovnk.OwnerRouteImport {
		r.imports[c.outputPort]++
		if r.imports[c.outputPort] == 1 {
			r.tell(c.outputPort)
		}
	}
}

func (r *routes) remove(id model.RowID) {
	if c := r.foreign[id]; c != nil {
		delete(r.foreign, id)
		if c.externalIDs[ovnk.ExternalIDOwner] == ovnk.OwnerRouteImport {
			if r.imports[c.outputPort]--; r.imports[c.outputPort] <= 0 {
				delete(r.imports, c.outputPort)
				r.tell(c.outputPort)
			}
		}
		return
	}
	row := r.own[id]
	if row == nil {
		return
	}
	r.unlink(row)
	delete(r.own, id)
	delete(r.odd, id)
	if _, expected := row.network.leaving[id]; !expected {
		row.network.touch(row.prefix)
	}
}

// unlink takes a row off its prefix.
func (r *routes) unlink(row *route) {
	n := row.network
	n.rows--
	first := n.byPrefix[row.prefix]
	if first == row {
		if row.next == nil {
			delete(n.byPrefix, row.prefix)
		} else {
			n.byPrefix[row.prefix] = row.next
		}
		return
	}
	for ; first != nil; first = first.next {
		if first.next == row {
			first.next = row.next
			return
		}
	}
}

func (n *networkRoutes) touch(prefix netip.Prefix) {
	if n.notify != nil {
		n.changed[prefix] = struct{}{}
		n.notify()
	}
}

// tell wakes the network whose router has this port.
func (r *routes) tell(port string) {
	for _, n := range r.networks {
		if n.port == port && n.notify != nil {
			n.notify()
		}
	}
}

// marks are the external_ids of our rows.
func (r *routes) marks(network string) map[string]string {
	return map[string]string{markOwner: ownerAgent, markNode: r.node, markNetwork: network}
}
