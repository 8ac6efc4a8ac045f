// Package apply brings a node's FRRConfiguration objects in line with what was rendered
// for it: it applies what differs, with server-side apply, and deletes what is left over.
//
// It owns the objects for which model.Generated holds, and must never change or delete
// others. It doesn't decide what should exist, and it reads nothing itself: the caller
// passes what is in its cache. That cache needs no full copies of generated objects; this
// package has the transforms that reduce them to what it needs.
package apply
