package current

import (
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// Tallies are the counts of what became of each node, for the controllers that work
// beside each other.
type Tallies struct {
	mu     sync.Mutex
	counts *outcome.Counts
}

// NewTallies returns tallies without nodes.
func NewTallies() *Tallies { return &Tallies{counts: outcome.NewCounts()} }

// Set replaces a node's parts.
func (t *Tallies) Set(node string, parts []model.NodePart) outcome.Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Set(node, parts)
}

// Remove forgets a node.
func (t *Tallies) Remove(node string) outcome.Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Remove(node)
}

// Tally returns the counts of one object. The lists of nodes are cut.
func (t *Tallies) Tally(ra string) model.Tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Tally(ra)
}

// Policy returns the counts of a policy for one of its targets.
func (t *Tallies) Policy(policy, ra string) model.PolicyTally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Policy(policy, ra)
}

// Advertising counts the nodes that advertise a network's pods for an object.
func (t *Tallies) Advertising(ra, network string) model.Advertising {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Advertising(ra, network)
}
