package node

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// known remembers each node as it was when it could last be planned, so that
// a node whose annotation is missing or malformed is not stuck with all that
// was applied: what leaves the cluster meanwhile, as a deleted
// RouteAdvertisements object, leaves it there too. The objects share their
// maps with the cache, so that this holds little more than pointers. After a
// restart it is empty, and what was applied stays as it is.
type known struct {
	mu    sync.Mutex
	nodes map[string]*corev1.Node
}

func (k *known) remember(n *corev1.Node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.nodes == nil {
		k.nodes = map[string]*corev1.Node{}
	}
	k.nodes[n.Name] = n
}

func (k *known) node(name string) *corev1.Node {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.nodes[name]
}

func (k *known) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.nodes, name)
}
