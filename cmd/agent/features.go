package main

import (
	"sync"

	clientfeatures "k8s.io/client-go/features"
)

// gates are client-go's features without one.
type gates struct{ clientfeatures.Gates }

// Enabled is false for watch lists. A reflector that asks for one waits for the
// bookmark that ends it, which an API server sends a second after the last event
// (client-go's WatchListClient; kube-apiserver's bookmark frequency). An agent
// lists a handful of objects, and a second more on each start of each node is a
// second in which nothing is imported. The manager keeps watch lists: at 5,000
// nodes they spare the API server a list of them all in memory.
func (g gates) Enabled(feature clientfeatures.Feature) bool {
	return feature != clientfeatures.WatchListClient && g.Gates.Enabled(feature)
}

// withoutWatchLists has to be called before client-go is used.
var withoutWatchLists = sync.OnceFunc(func() {
	clientfeatures.ReplaceFeatureGates(gates{clientfeatures.FeatureGates()})
})
