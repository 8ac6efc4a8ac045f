// Package snapshot turns API objects into the model's plain values. Every read for the
// export happens here.
//
// Gather reads a cluster. The other functions are pure and need none, so that the manager
// and the offline plan share them. What can't be used becomes a Problem in the scope of
// that one object. The package never writes, never decides what is advertised, and never
// changes the objects that it is given: they may belong to a cache, and the model shares
// their labels and lists.
package snapshot
