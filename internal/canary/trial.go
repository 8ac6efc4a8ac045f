package canary

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Text is what matters of a node's raw text. The zero value is no text.
type Text struct {
	Digest uint64
	// Forms are the forms of its lines, sorted.
	Forms []uint64
}

func (t *Text) empty() bool { return t.Digest == 0 }

// Kind distinguishes texts by their forms, 0 for no text. It may be stored.
func (t *Text) Kind() uint64 {
	if t.empty() {
		return 0
	}
	h := fnv.New64a()
	for _, form := range t.Forms {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, form)) // It never fails.
	}
	return h.Sum64()
}

// Node is what is known of a node.
type Node struct {
	// Up is set if the cluster takes the node for working.
	Up bool
	// Wanted is the text that the node is to have, and Live the one that it has in the
	// API.
	Wanted, Live Text
	Report       Report
	// Refusal is the one noted at the node.
	Refusal Refusal
}

// Report is what the node's frr-k8s says. The zero value is that it says nothing.
type Report struct {
	Known bool
	// OK is set if nothing failed.
	OK bool
	// Failure is what it says of a reload that failed.
	Failure string
	// Runs is set if FRR's running configuration has the live text.
	Runs bool
}

// Refusal is that a node's FRR did not take a text.
type Refusal struct {
	// Kind is that of the text, 0 for none.
	Kind uint64
	// Message is what FRR said.
	Message string
}

// Decision is what a node may have.
type Decision struct {
	State model.RawState
	// Keep is set if the node keeps its live text, in state RawWaiting.
	Keep bool
	// Refusal is to be noted at the node.
	Refusal Refusal
	// Wake are other nodes, sorted, for which something else may be decided now.
	Wake []string
}

// Trial decides for all nodes. Whoever shares it locks it.
type Trial struct {
	// Settled reports whether all nodes were decided since the cluster last changed.
	// Before, it is not known which one is the first by name, and which have what.
	Settled func() bool

	nodes map[string]*record
	// proven are the forms that some node's FRR took.
	proven map[uint64]bool
	// canary is the node that may have unproven forms, "" for none.
	canary string
	// ready is set once it is known that no other node has any.
	ready bool
	// trying are the nodes whose live text has unproven forms. There is one at most, unless
	// a new manager does not know yet what is proven.
	trying map[string]bool
	// waiting and refusing are the nodes in these states.
	waiting, refusing map[string]*record
	// counts are the nodes that are to have raw text.
	counts map[model.RawPermission]int
	// changed is set if something changed by which other nodes are decided.
	changed bool
}

// record is what is remembered of a node.
type record struct {
	Node
	state model.RawPermission
	// refusal is the one that counts.
	refusal Refusal
	// seen is set once the node was decided; watched if the live text came after that, and
	// failedBefore if frr-k8s reported no success right before the text.
	seen, watched, failedBefore bool
	// took is set if FRR took the live text.
	took bool
}

// Decide decides for a node.
func (t *Trial) Decide(name string, n Node) Decision {
	r := t.nodes[name]
	if r == nil {
		if n.Wanted.empty() && n.Live.empty() {
			return Decision{State: model.RawState{Permission: model.RawOn}}
		}
		r = t.add(name)
	}
	t.changed = false
	t.count(r, -1)
	r.observe(&n)
	if r.took {
		t.prove(n.Live.Forms)
	}
	t.try(name, r)
	t.decide(name, r)
	if canary := t.canary; t.choose() != canary {
		t.decide(name, r)
		t.choose()
	}
	t.count(r, +1)
	d := Decision{State: t.state(r), Refusal: r.refusal, Keep: r.state == model.RawWaiting && t.keeps(r), Wake: t.wake(name)}
	if n.Wanted.empty() && n.Live.empty() {
		delete(t.nodes, name)
	}
	return d
}

// Forget is for nodes that are gone. It returns the nodes to decide again.
func (t *Trial) Forget(name string) (wake []string) {
	if t.nodes[name] == nil {
		return nil
	}
	t.count(t.nodes[name], -1)
	t.changed = t.refusing[name] != nil
	delete(t.nodes, name)
	delete(t.trying, name)
	delete(t.waiting, name)
	delete(t.refusing, name)
	t.choose()
	return t.wake(name)
}

// Choose makes the choice that Decide left for when all nodes are decided. It returns the
// nodes to decide again.
func (t *Trial) Choose() (wake []string) {
	ready := t.ready
	t.changed = false
	t.choose()
	t.changed = t.changed || t.ready != ready
	return t.wake("")
}

// Counts are the nodes that are to have raw text, by what they may have.
func (t *Trial) Counts() map[model.RawPermission]int {
	return maps.Clone(t.counts)
}

// count counts the node in, or out.
func (t *Trial) count(r *record, sign int) {
	if !r.Wanted.empty() {
		t.counts[r.state] += sign
	}
}

func (t *Trial) add(name string) *record {
	if t.nodes == nil {
		t.nodes, t.waiting, t.refusing = map[string]*record{}, map[string]*record{}, map[string]*record{}
		t.proven, t.trying, t.counts = map[uint64]bool{}, map[string]bool{}, map[model.RawPermission]int{}
	}
	t.nodes[name] = &record{}
	return t.nodes[name]
}

// wake are the nodes that wait, if something changed for them.
func (t *Trial) wake(but string) []string {
	if !t.changed {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.waiting)), func(name string) bool { return name == but })
}

func (t *Trial) prove(forms []uint64) {
	before := len(t.proven)
	for _, form := range forms {
		t.proven[form] = true
	}
	if len(t.proven) == before {
		return
	}
	t.changed = true
	for name := range t.trying {
		t.try(name, t.nodes[name])
	}
}

// try notes whether the node's live text has unproven forms.
func (t *Trial) try(name string, r *record) {
	delete(t.trying, name)
	if !t.allProven(&r.Live) {
		t.trying[name] = true
	}
}

// allProven reports whether all of a text's forms are.
func (t *Trial) allProven(text *Text) bool {
	return !slices.ContainsFunc(text.Forms, func(form uint64) bool { return !t.proven[form] })
}

// observe takes in what is known of the node now.
func (r *record) observe(n *Node) {
	if n.Live.Digest != r.Live.Digest {
		r.watched, r.failedBefore, r.took = r.seen, r.seen && !r.Report.OK, false
	}
	r.Node, r.seen = *n, true
	if !n.Live.empty() && n.Report.OK && n.Report.Runs {
		r.took = true
	}
}

// refuses reports whether the node's FRR does not take the live text.
func (r *record) refuses() bool {
	switch {
	case r.Live.empty() || r.Report.Failure == "":
		return false
	case r.Report.Runs:
		// A reload that fails may have done a part of its work, up to the very end of the
		// text. But what FRR once took, it fails for another reason.
		return r.watched && !r.took
	default:
		return !r.failedBefore
	}
}

// fit reports whether the node could be a canary.
func (r *record) fit() bool { return r.Up && r.Report.Known && r.Report.OK }
