package canary_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/canary"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// simulated is a cluster whose managers, nodes and FRRs take their steps in any order.
type simulated struct {
	random *rand.Rand
	trial  *canary.Trial
	names  []string
	nodes  map[string]*simulatedNode
	// refused are the forms that no FRR takes.
	refused map[uint64]bool
	// taken are those that some FRR took, whether the manager knows of it or not.
	taken   map[uint64]bool
	decided map[string]bool
	texts   uint64
	history []string
}

type simulatedNode struct {
	up, silent, foreign bool
	wanted, live        canary.Text
	noted               canary.Refusal
	// runs and failure are of FRR, reported* what frr-k8s wrote of it.
	runs            uint64
	failure         string
	reportedRuns    uint64
	reportedFailure string
	// took is set if FRR took the live text.
	took bool
	// given counts the texts of each kind that it was given.
	given map[uint64]int
}

func newSimulated(seed uint64) *simulated {
	s := &simulated{
		random: rand.New(rand.NewPCG(seed, 0)), names: []string{"a", "b", "c", "d"}, nodes: map[string]*simulatedNode{},
		refused: map[uint64]bool{7: true}, taken: map[uint64]bool{},
	}
	for _, name := range s.names {
		s.nodes[name] = &simulatedNode{up: true, given: map[uint64]int{}}
	}
	s.restart()
	return s
}

func (s *simulated) restart() {
	s.decided = map[string]bool{}
	s.trial = &canary.Trial{Settled: func() bool { return len(s.decided) == len(s.names) }}
}

// want gives every node a new text of the same forms.
func (s *simulated) want(forms ...uint64) {
	for _, name := range s.names {
		s.wantOf(name, forms...)
	}
}

func (s *simulated) wantOf(name string, forms ...uint64) {
	s.texts++
	s.nodes[name].wanted = canary.Text{Digest: s.texts, Forms: forms}
	if len(forms) == 0 {
		s.nodes[name].wanted = canary.Text{}
	}
	delete(s.decided, name)
}

// reconcile decides for a node and writes what follows.
func (s *simulated) reconcile(name string) {
	n := s.nodes[name]
	d := s.trial.Decide(name, canary.Node{
		Up: n.up, Wanted: n.wanted, Live: n.live, Refusal: n.noted,
		Report: canary.Report{
			Known: !n.silent, OK: !n.silent && n.reportedFailure == "", Failure: n.reportedFailure,
			Runs: n.live.Digest != 0 && n.reportedRuns == n.live.Digest,
		},
	})
	s.history = append(s.history, fmt.Sprintf("%s: %+v wants %v has %v runs %d -> %s keep=%t", name, n.up, n.wanted, n.live, n.reportedRuns, d.State.Permission, d.Keep))
	next := n.live
	switch {
	case d.State.Permission == model.RawOn:
		next = n.wanted
	case !d.Keep:
		next = canary.Text{}
	}
	if next.Digest != n.live.Digest {
		n.took = false
		n.live = next
		if next.Digest != 0 {
			n.given[next.Kind()]++
		}
	}
	n.noted = d.Refusal
	s.decided[name] = true
	if len(s.decided) == len(s.names) {
		s.trial.Choose()
	}
}

// load is a reload of a node's FRR.
func (s *simulated) load(name string) {
	n := s.nodes[name]
	n.failure = ""
	switch {
	case n.foreign:
		n.failure = "somebody's line"
	case slices.ContainsFunc(n.live.Forms, func(f uint64) bool { return s.refused[f] }):
		n.failure = "a line of ours"
	default:
		n.runs = n.live.Digest
		for _, form := range n.live.Forms {
			s.taken[form] = true
		}
		n.took = n.live.Digest != 0
	}
}

func (s *simulated) report(name string) {
	n := s.nodes[name]
	n.reportedRuns, n.reportedFailure = n.runs, n.failure
}

// unproven are the nodes with forms that no FRR took so far.
func (s *simulated) unproven() []string {
	var out []string
	for _, name := range s.names {
		if slices.ContainsFunc(s.nodes[name].live.Forms, func(f uint64) bool { return !s.taken[f] }) {
			out = append(out, name)
		}
	}
	return out
}

func (s *simulated) step() {
	name := s.names[s.random.IntN(len(s.names))]
	switch s.random.IntN(24) {
	default:
		s.reconcile(name)
	case 0, 1, 2, 3, 4:
		s.load(name)
	case 5, 6, 7, 8, 9:
		s.report(name)
	case 10:
		s.nodes[name].up = !s.nodes[name].up
	case 11:
		s.nodes[name].silent = !s.nodes[name].silent
	case 12:
		s.want([][]uint64{{1}, {1, 2}, {1, 7}, {3}, {3, 7}, nil}[s.random.IntN(6)]...)
	case 13:
		s.wantOf(name, s.nodes[name].wanted.Forms...)
	case 14:
		s.restart()
	}
}

func (s *simulated) fail(t *testing.T, seed uint64, format string, args ...any) {
	t.Helper()
	for _, line := range s.history[max(0, len(s.history)-40):] {
		t.Log(line)
	}
	t.Fatalf("seed %d: %s", seed, fmt.Sprintf(format, args...))
}

func TestNeverMoreThanOneNodeHasWhatNoneTook(t *testing.T) {
	for seed := range uint64(400) {
		s := newSimulated(seed)
		for range 400 {
			s.step()
			if nodes := s.unproven(); len(nodes) > 1 {
				s.fail(t, seed, "%v have forms that no FRR took", nodes)
			}
		}
	}
}

// TestWhatIsRefusedIsNotTriedAgain has one refused kind, which is wanted to the end.
func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	for seed := range uint64(200) {
		s := newSimulated(seed)
		s.want(1)
		s.settle()
		s.want(1, 7)
		kind := s.nodes["a"].wanted.Kind()
		for range 300 {
			name := s.names[s.random.IntN(len(s.names))]
			switch s.random.IntN(8) {
			case 0:
				s.load(name)
			case 1:
				s.report(name)
			case 2:
				s.wantOf(name, 1, 7) // other prefixes
			case 3:
				s.restart()
			default:
				s.reconcile(name)
			}
		}
		s.settle()
		tried := 0
		for _, name := range s.names {
			n := s.nodes[name]
			if n.noted.Kind == kind {
				tried++
				continue
			}
			if !n.took || !slices.Equal(n.live.Forms, []uint64{1}) || n.given[kind] > 0 {
				s.fail(t, seed, "%s does not have its old text any more: %+v", name, n)
			}
		}
		if tried != 1 {
			s.fail(t, seed, "%d nodes were tried", tried)
		}
	}
}

// settle goes on until all is well that can be.
func (s *simulated) settle() {
	for range 8 {
		for _, name := range s.names {
			s.nodes[name].up, s.nodes[name].silent = true, false
			s.reconcile(name)
			s.load(name)
			s.report(name)
		}
	}
}

func TestInTheEndEveryNodeHasWhatFRRTakes(t *testing.T) {
	for seed := range uint64(200) {
		s := newSimulated(seed)
		for range 300 {
			s.step()
		}
		s.want(4, 5)
		s.settle()
		for _, name := range s.names {
			if n := s.nodes[name]; n.runs != n.wanted.Digest {
				s.fail(t, seed, "%s has %v, wants %v", name, n.live, n.wanted)
			}
		}
	}
}

// TestSomebodysMistakeTakesNothingOff breaks all nodes' reloads for a reason that has
// nothing to do with raw text, at any time after they took one.
func TestSomebodysMistakeTakesNothingOff(t *testing.T) {
	for seed := range uint64(200) {
		s := newSimulated(seed)
		s.want(1)
		s.settle()
		for _, name := range s.names {
			s.nodes[name].foreign = true
			s.load(name)
			s.report(name)
		}
		for range 200 {
			name := s.names[s.random.IntN(len(s.names))]
			switch s.random.IntN(4) {
			case 0:
				s.load(name)
				s.report(name)
			case 1:
				s.wantOf(name, 1, 2)
			default:
				s.reconcile(name)
			}
			for _, name := range s.names {
				if n := s.nodes[name]; n.live.Digest == 0 || n.noted.Kind != 0 {
					s.fail(t, seed, "%s lost its text", name)
				}
			}
		}
		for _, n := range s.nodes {
			n.foreign = false
		}
		for _, name := range s.names {
			s.load(name)
			s.report(name)
		}
		s.settle()
		for _, name := range s.names {
			if n := s.nodes[name]; n.runs != n.wanted.Digest {
				s.fail(t, seed, "%s has %v, wants %v", name, n.live, n.wanted)
			}
		}
	}
}
