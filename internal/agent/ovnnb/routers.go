package ovnnb

import (
	"maps"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// optionDynamicRouting on a Logical_Router makes OVN itself exchange routes
// with a kernel VRF (OVN 25.03 and later).
const optionDynamicRouting = "dynamic-routing"

// router is what is known of one gateway router.
type router struct {
	id      model.RowID
	name    string
	options map[string]string
	nat     map[string]struct{}
}

// routers are the gateway routers that are watched, as the server says.
type routers struct {
	byID   map[model.RowID]*router
	byName map[string]*router
	// notify is told the name of a router that changed.
	notify func(name string)
	// lock guards the maps; what is in them is replaced, never changed.
	lock sync.Locker
}

func newRouters(lock sync.Locker, notify func(string)) *routers {
	return &routers{byID: map[model.RowID]*router{}, byName: map[string]*router{}, lock: lock, notify: notify}
}

func (r *routers) forget() {
	clear(r.byID)
	clear(r.byName)
}

// read applies the table's part of an update.
func (r *routers) read(in *jsonReader) {
	in.object(func(uuid []byte) {
		id, ok := parseRowID(uuid)
		if !ok {
			in.fail("%q is no UUID", uuid)
			return
		}
		in.object(func(change []byte) {
			switch string(change) {
			case "initial", "insert":
				row := &router{id: id, nat: map[string]struct{}{}}
				if row.read(in, false); in.err == nil {
					r.put(row)
				}
			case "modify":
				row := &router{id: id, nat: map[string]struct{}{}}
				if old := r.byID[id]; old != nil {
					*row = *old
					row.nat = maps.Clone(old.nat)
				}
				if row.read(in, true); in.err == nil {
					r.put(row)
				}
			case "delete":
				in.skip()
				r.lock.Lock()
				r.drop(id)
				r.lock.Unlock()
			default:
				in.skip()
			}
		})
	})
}

func (row *router) read(in *jsonReader, difference bool) {
	in.object(func(column []byte) {
		switch string(column) {
		case "name":
			row.name = string(in.string())
		case "options":
			row.options = in.textMap(row.options, difference)
		case "nat":
			// A difference lists the elements that come and those that go.
			in.setOfText(func(uuid string) {
				if _, found := row.nat[uuid]; found {
					delete(row.nat, uuid)
				} else {
					row.nat[uuid] = struct{}{}
				}
			})
		default:
			in.skip()
		}
	})
}

func (r *routers) put(row *router) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if old := r.byID[row.id]; old != nil && old.name != row.name {
		r.drop(row.id)
	}
	r.byID[row.id] = row
	r.byName[row.name] = row
	r.notify(row.name)
}

func (r *routers) drop(id model.RowID) {
	row := r.byID[id]
	if row == nil {
		return
	}
	delete(r.byID, id)
	// A router that is recreated may be inserted before the old one's delete
	// is read, in one update.
	if r.byName[row.name] == row {
		delete(r.byName, row.name)
		for _, other := range r.byID {
			if other.name == row.name {
				r.byName[row.name] = other
			}
		}
	}
	r.notify(row.name)
}
