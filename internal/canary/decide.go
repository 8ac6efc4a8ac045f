package canary

import "github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"

// decide finds the node's state.
func (t *Trial) decide(name string, r *record) {
	refusal := r.Refusal
	if r.refuses() {
		refusal = Refusal{Kind: r.Live.Kind(), Message: r.Report.Failure}
	}
	if refusal.Kind != r.Wanted.Kind() {
		refusal = Refusal{}
	}
	t.changed = t.changed || refusal.Kind != r.refusal.Kind
	r.refusal = refusal
	delete(t.waiting, name)
	delete(t.refusing, name)
	switch {
	case refusal.Kind != 0:
		r.state = model.RawTakenOff
		t.refusing[name] = r
	case t.grants(name, r):
		r.state = model.RawOn
	default:
		r.state = model.RawWaiting
		t.waiting[name] = r
	}
}

// grants reports whether the node gets the wanted text.
func (t *Trial) grants(name string, r *record) bool {
	switch {
	case r.Wanted.empty():
		return true
	case t.gone(r):
		return false
	case r.Wanted.Digest == r.Live.Digest:
		return true
	case t.allProven(&r.Wanted):
		return r.Report.OK
	case t.canary != name || !t.ready || len(t.trying) > 1 || len(t.trying) == 1 && !t.trying[name]:
		return false
	default:
		// Once it has unproven forms, it goes on with others. Before, a failure would say
		// nothing about them.
		return t.trying[name] || r.fit()
	}
}

// keeps reports whether a node that waits keeps its live text.
func (t *Trial) keeps(r *record) bool { return !r.Live.empty() && !r.refuses() && !t.gone(r) }

// gone reports whether the node has something unproven, and doesn't tell any more whether
// its FRR takes it, so that another node has to try it.
func (t *Trial) gone(r *record) bool {
	if r.Up && r.Report.Known || t.allProven(&r.Live) {
		return false
	}
	for _, other := range t.waiting {
		if other != r && other.fit() {
			return true
		}
	}
	return false
}

func (t *Trial) settled() bool { return t.Settled == nil || t.Settled() }

// choose returns the canary, a new one if one is wanted.
func (t *Trial) choose() string {
	before := t.canary
	if t.canary != "" && t.through(t.canary) {
		t.canary = ""
	}
	for name := range t.trying {
		// The canary of a manager before this one.
		if t.canary == "" || !t.trying[t.canary] && name < t.canary {
			t.canary = name
		}
	}
	if t.canary == "" && t.settled() {
		for name, r := range t.waiting {
			if (t.canary == "" || name < t.canary) && r.fit() && !t.allProven(&r.Wanted) && t.refuser(r) == "" {
				t.canary = name
			}
		}
	}
	t.ready = t.canary != "" && (t.ready && t.canary == before || t.settled())
	t.changed = t.changed || t.canary != before
	return t.canary
}

// through reports whether the node is no canary any more: it has nothing that is not
// proven, and does not get it either.
func (t *Trial) through(name string) bool {
	r := t.nodes[name]
	return r == nil || !t.trying[name] && (r.state == model.RawTakenOff || t.allProven(&r.Wanted) || r.state == model.RawWaiting && !r.fit())
}

// refuser is the first node that refused something unproven of what the other wants, ""
// for none.
func (t *Trial) refuser(r *record) string {
	first := ""
	for name, other := range t.refusing {
		if other != r && (first == "" || name < first) && t.overlap(&other.Wanted, &r.Wanted) {
			first = name
		}
	}
	return first
}

// overlap reports whether two texts have an unproven form in common. Forms are sorted.
func (t *Trial) overlap(a, b *Text) bool {
	for i, j := 0, 0; i < len(a.Forms) && j < len(b.Forms); {
		switch x, y := a.Forms[i], b.Forms[j]; {
		case x < y:
			i++
		case x > y:
			j++
		case !t.proven[x]:
			return true
		default:
			i, j = i+1, j+1
		}
	}
	return false
}

// state is the node's for the planner: which node has to take the text first, and if it
// did not, why.
func (t *Trial) state(r *record) model.RawState {
	out := model.RawState{Permission: r.state, Failure: r.refusal.Message}
	if r.state != model.RawWaiting || t.allProven(&r.Wanted) {
		// If it waits, its own frr-k8s reports no success.
		return out
	}
	if out.Canary = t.canary; out.Canary != "" {
		return out
	}
	if out.Canary = t.refuser(r); out.Canary != "" {
		out.Failure = t.refusing[out.Canary].refusal.Message
	}
	return out
}
