package current

import "sync"

// Plan is the revision that holds now, with the nodes that have not caught up
// with it. The zero value has no revision.
type Plan struct {
	// OnCaughtUp is called, without locks, whenever the last node has caught up.
	OnCaughtUp func()

	mu       sync.Mutex
	revision *Revision
	// behind holds, for each node that has to be planned again, the number of
	// the revision that asked for it.
	behind map[string]uint64
}

// Revision returns the revision that holds now, nil before the first one.
func (p *Plan) Revision() *Revision {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.revision
}

// Replace makes next the revision that holds; nodes have to be planned again
// because of it. Both change at once, so that nobody can take the old results
// of a node for those of the new revision.
func (p *Plan) Replace(next *Revision, nodes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next.Number = 1
	if p.revision != nil {
		next.Number = p.revision.Number + 1
	}
	p.revision = next
	if p.behind == nil {
		p.behind = make(map[string]uint64, len(nodes))
	}
	for _, node := range nodes {
		p.behind[node] = next.Number
	}
}

// CaughtUp says that a node was planned by a revision.
func (p *Plan) CaughtUp(node string, revision *Revision) {
	p.mu.Lock()
	asked, found := p.behind[node]
	last := false
	if found && asked <= revision.Number {
		delete(p.behind, node)
		last = len(p.behind) == 0
	}
	p.mu.Unlock()
	if last && p.OnCaughtUp != nil {
		p.OnCaughtUp()
	}
}

// Behind counts the nodes that have not caught up.
func (p *Plan) Behind() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.behind)
}
