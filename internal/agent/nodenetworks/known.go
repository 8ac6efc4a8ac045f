package nodenetworks

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KnownKind is the kind of a file that holds an object.
const KnownKind = "NodeNetworks"

// knownAfter is how long an API server that can be reached may take to answer,
// before the agent begins with what it knew last.
const knownAfter = 5 * time.Second

// state is what is known of the object.
type state struct {
	mu sync.Mutex
	// answered is set once the manager's object was read, begun once the kept object
	// was used.
	answered, begun bool
	// decision is the last one, absent set while there is no object.
	decision *Decision
	absent   bool
	// unusable is why the object as it is now can't be used.
	unusable  string
	complaint string
}

// State is what people should know about the node's object.
type State struct {
	// NodeUID is the Node's, "" while it isn't known.
	NodeUID string
	// Absent is set while the API server has no object for the node.
	Absent bool
	// Unusable is why the object can't be used, and what it said before stays.
	Unusable string
	// NotUnderstood are fields of a newer manager.
	NotUnderstood string
	// Contradictions are subnets of the manager's object that the agent's flags leave
	// out.
	Contradictions []string
	// VTEPProblems are why the node has no tunnel endpoint of VTEPs that its networks use.
	VTEPProblems []string
}

// Trouble is why the manager's word isn't followed, "" if it is.
func (s State) Trouble() string {
	switch {
	case s.Absent:
		return "the API server has no NodeNetworks for this node: check that the manager runs and is of this agent's version"
	case s.Unusable != "":
		return "this node's NodeNetworks can't be used: " + s.Unusable
	}
	return ""
}

// State returns what is known now.
func (w *Watcher) State() State {
	w.state.mu.Lock()
	defer w.state.mu.Unlock()
	out := State{Absent: w.state.absent, Unusable: w.state.unusable}
	if d := w.state.decision; d != nil {
		out.NodeUID, out.NotUnderstood, out.Contradictions = d.UID, d.NotUnderstood, Contradictions(d, &w.Settings)
		out.VTEPProblems = d.vtepProblems()
	}
	return out
}

func (w *Watcher) change(what func(*state)) {
	w.state.mu.Lock()
	what(&w.state)
	w.state.mu.Unlock()
	if w.Changed != nil {
		w.Changed()
	}
}

// unanswered begins with what the agent knew last, once, unless the manager's object
// was read already. Networks that aren't named there keep what they have.
func (w *Watcher) unanswered(why string) {
	w.change(func(s *state) {
		if w.Known == nil || s.answered || s.begun {
			return
		}
		s.begun = true
		var content map[string]any
		written, err := w.Known.Load(&content)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		var decision *Decision
		if err == nil {
			decision, err = decisionOf(content)
		}
		if err != nil {
			w.Log.Info("What this agent knew last can't be used; what was imported stays as it is", "cause", err.Error())
			return
		}
		w.Log.Info("Could not read this node's networks from the API server; using those read last", "written", written, "cause", why)
		s.decision = decision
		w.Apply(Networks(decision, &w.Settings), false)
	})
}

// told applies an object that the API server has, and keeps it.
func (w *Watcher) told(object *unstructured.Unstructured) {
	w.change(func(s *state) {
		s.absent = false
		decision, err := decisionOf(object.Object)
		if err != nil {
			s.unusable = err.Error()
			w.Log.Info("This node's NodeNetworks can't be used; what it said before stays", "cause", s.unusable)
			return
		}
		if decision.NotUnderstood != "" && (s.decision == nil || s.decision.NotUnderstood != decision.NotUnderstood) {
			w.Log.Info("The manager is newer than this agent, which goes by what it understands", "fields", decision.NotUnderstood)
		}
		s.answered, s.decision, s.unusable = true, decision, ""
		w.Apply(Networks(decision, &w.Settings), true)
		if w.Given != nil {
			w.Given(decision.given())
		}
		w.keep(s, object)
	})
}

// keep writes the object to the file, as far as an agent reads it.
func (w *Watcher) keep(s *state, object *unstructured.Unstructured) {
	if w.Known == nil {
		return
	}
	kept := map[string]any{"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(), "spec": object.Object["spec"]}
	if err := w.Known.Save(kept); err != nil && err.Error() != s.complaint {
		s.complaint = err.Error()
		w.Log.Info("An agent that starts while the API server is away would have to wait for it", "cause", s.complaint)
	}
}
