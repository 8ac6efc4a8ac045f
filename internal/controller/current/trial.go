package current

import (
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/canary"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Trial is the trial of raw text, for workers that decide for nodes beside each other.
type Trial struct {
	mu    sync.Mutex
	trial canary.Trial
}

// NewTrial returns a trial without nodes: see canary.Trial.
func NewTrial(settled func() bool) *Trial { return &Trial{trial: canary.Trial{Settled: settled}} }

// Decide decides for a node.
func (t *Trial) Decide(name string, n canary.Node) canary.Decision {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trial.Decide(name, n)
}

// Forget is for nodes that are gone. It returns the nodes to decide again.
func (t *Trial) Forget(name string) (wake []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trial.Forget(name)
}

// Choose makes the choice that was left for when all nodes are decided. It returns the
// nodes to decide again.
func (t *Trial) Choose() (wake []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trial.Choose()
}

// Counts are the nodes that are to have raw text, by what they may have.
func (t *Trial) Counts() map[model.RawPermission]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trial.Counts()
}
