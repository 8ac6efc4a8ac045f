package apply

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// pendingWrites holds the writes that the caller's cache has not shown yet. Without
// it, a reconcile that runs right after a write would see the state from
// before and write again.
type pendingWrites struct {
	mu     sync.Mutex
	writes map[string]map[types.NamespacedName]write
	// altered holds objects that the server stored differently from what was
	// sent, as an older CRD without some field does: sending the same again
	// would never change that.
	altered map[types.NamespacedName]alteration
}

// write is a write of ours, with what the server answered.
type write struct {
	at time.Time
	// shown is what the cache showed then, "" for nothing.
	shown types.UID
	// seen is set once a watch has shown the write. Whoever read the cache
	// right before that still needs it.
	seen bool
	// Either stored is what the server stored, or deleted what it deleted.
	stored, deleted *LiveObject
}

type alteration struct{ sent, stored uint64 }

func newPendingWrites() *pendingWrites {
	return &pendingWrites{
		writes:  map[string]map[types.NamespacedName]write{},
		altered: map[types.NamespacedName]alteration{},
	}
}

func (m *pendingWrites) remember(node string, key types.NamespacedName, w write) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes[node] == nil {
		m.writes[node] = map[types.NamespacedName]write{}
	}
	m.writes[node][key] = w
}

// forget needs the lock.
func (m *pendingWrites) forget(node string, key types.NamespacedName) {
	delete(m.writes[node], key)
	if len(m.writes[node]) == 0 {
		delete(m.writes, node)
	}
}

// correct changes what the cache shows of a node's objects to what must be
// there after own writes that the cache can't show yet.
func (m *pendingWrites) correct(node string, objects map[types.NamespacedName]LiveObject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, w := range m.writes[node] {
		var shown *LiveObject
		if live, found := objects[key]; found {
			shown = &live
		}
		switch {
		case !w.ahead(shown):
			m.forget(node, key)
		case w.stored != nil:
			objects[key] = *w.stored
		default:
			delete(objects, key)
		}
	}
}

// ahead reports whether the write is newer than what the cache shows.
func (w *write) ahead(shown *LiveObject) bool {
	switch {
	case shown == nil && w.stored != nil:
		// Where the cache had shown this very object it is deleted since;
		// otherwise the cache just doesn't have it yet.
		return w.shown != w.stored.UID
	case shown == nil:
		return false
	case w.stored != nil:
		return newer(w.stored.ResourceVersion, shown.ResourceVersion)
	default:
		// With a finalizer, the object lives on in a newer version.
		return shown.UID == w.deleted.UID && !newer(shown.ResourceVersion, w.deleted.ResourceVersion)
	}
}

// newer compares resource versions, which Kubernetes allows within a kind.
func newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}

// saw notes what a watch shows, and reports whether it is just an own write.
func (m *pendingWrites) saw(node string, live LiveObject) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, found := m.writes[node][live.NamespacedName]
	if !found || w.seen || w.ahead(&live) {
		return false
	}
	if w.stored == nil {
		m.forget(node, live.NamespacedName)
		return false
	}
	w.seen = true
	m.writes[node][live.NamespacedName] = w
	return w.stored.ResourceVersion == live.ResourceVersion
}

// sawGone notes a deletion, and reports whether it was an own one.
func (m *pendingWrites) sawGone(node string, live LiveObject) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.altered, live.NamespacedName)
	w, found := m.writes[node][live.NamespacedName]
	switch {
	case !found:
		return false
	case w.deleted != nil:
		m.forget(node, live.NamespacedName)
		return w.deleted.UID == live.UID
	case w.stored.UID == live.UID:
		m.forget(node, live.NamespacedName)
	}
	return false
}

// overdue forgets writes from before the given time and returns their nodes.
func (m *pendingWrites) overdue(before time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var nodes []string
	for node, writes := range m.writes {
		late := false
		for key, w := range writes {
			if w.at.Before(before) {
				late = late || !w.seen
				m.forget(node, key)
			}
		}
		if late {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (m *pendingWrites) noteAnswer(key types.NamespacedName, sent, stored uint64) (altered bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if sent == stored {
		delete(m.altered, key)
		return false
	}
	m.altered[key] = alteration{sent, stored}
	return true
}

// same reports whether live is what comes of sending the object with that
// hash, and whether the server alters it then.
func (m *pendingWrites) same(live LiveObject, hash uint64) (same, altered bool) {
	if live.Hash == hash {
		return true, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known, found := m.altered[live.NamespacedName]
	same = found && known == alteration{hash, live.Hash}
	return same, same
}
