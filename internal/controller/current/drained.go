package current

import "sync"

// Drained are the nodes that drain and whose FRR has all that is planned for them. The zero
// value has none.
type Drained struct {
	mu    sync.Mutex
	nodes map[string]bool
}

// Set notes whether a node is one of them, and reports whether that is news.
func (d *Drained) Set(node string, drained bool) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.nodes[node] == drained {
		return false
	}
	if !drained {
		delete(d.nodes, node)
		return true
	}
	if d.nodes == nil {
		d.nodes = map[string]bool{}
	}
	d.nodes[node] = true
	return true
}

// Has reports whether a node is one of them.
func (d *Drained) Has(node string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nodes[node]
}
