package main

import (
	"sync"

	clientfeatures "k8s.io/client-go/features"
)

// gates are client-go's features without watch lists.
type gates struct{ clientfeatures.Gates }

// Enabled is false for watch lists. A reflector that asks for one waits for the
// bookmark that ends it, which an API server sends a second after the last event
// (client-go's WatchListClient; kube-apiserver's bookmark frequency). An agent lists
// only a handful of objects, and in that second, at each start on each node, it
// would import nothing. The manager keeps watch lists: at 5,000 nodes they spare the
// API server a list of all of them in memory.
func (g gates) Enabled(feature clientfeatures.Feature) bool {
	return feature != clientfeatures.WatchListClient && g.Gates.Enabled(feature)
}

// withoutWatchLists must be called before client-go is used.
var withoutWatchLists = sync.OnceFunc(func() {
	clientfeatures.ReplaceFeatureGates(gates{clientfeatures.FeatureGates()})
})
