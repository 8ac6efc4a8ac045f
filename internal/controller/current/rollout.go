package current

import "sync"

// Rollout is the revision that holds now, with the nodes that have not caught up
// with it. The zero value has no revision.
type Rollout struct {
	// OnCaughtUp is called, without locks, whenever the last node has caught up.
	OnCaughtUp func()

	mu       sync.Mutex
	revision *Revision
	// behind holds, for each node that has to be planned again, the number of
	// the revision that asked for it.
	behind map[string]uint64
}

// Revision returns the revision that holds now, nil before the first one.
func (r *Rollout) Revision() *Revision {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revision
}

// Replace makes next the revision that holds; nodes have to be planned again
// because of it. Both change at once, so that nobody can take the old results
// of a node for those of the new revision.
func (r *Rollout) Replace(next *Revision, nodes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next.Number = 1
	if r.revision != nil {
		next.Number = r.revision.Number + 1
	}
	r.revision = next
	if r.behind == nil {
		r.behind = make(map[string]uint64, len(nodes))
	}
	for _, node := range nodes {
		r.behind[node] = next.Number
	}
}

// Again has nodes be planned again by the revision that holds.
func (r *Rollout) Again(nodes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, node := range nodes {
		r.behind[node] = r.revision.Number
	}
}

// CaughtUp says that a node was planned by a revision.
func (r *Rollout) CaughtUp(node string, revision *Revision) {
	r.mu.Lock()
	asked, found := r.behind[node]
	last := false
	if found && asked <= revision.Number {
		delete(r.behind, node)
		last = len(r.behind) == 0
	}
	r.mu.Unlock()
	if last && r.OnCaughtUp != nil {
		r.OnCaughtUp()
	}
}

// Behind counts the nodes that have not caught up.
func (r *Rollout) Behind() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.behind)
}
