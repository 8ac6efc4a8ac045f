// Package apply brings the FRRConfiguration objects of a node to what was
// rendered for it: server-side apply of what differs, and deletion of what is
// left over.
//
// It owns the objects that model.Generated holds for and must never change or
// delete another. It doesn't decide what should be there, and it reads nothing
// by itself: what is live comes from the caller's cache. That cache needs no
// full copies of generated objects; this package has the transforms that
// reduce objects to what is asked of them.
package apply
