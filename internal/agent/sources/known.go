package sources

import (
	"errors"
	"io/fs"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KnownKind is the kind of a file that holds a View.
const KnownKind = "View"

// knownAfter is how long an API server that can be reached may take to answer,
// before the agent begins with what it knew last.
const knownAfter = 5 * time.Second

// unanswered begins with what the agent knew last, once, unless the API server
// has told what is. Networks that aren't named there keep what they have.
func (w *Watcher) unanswered(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Known == nil || w.answered || w.begun {
		return
	}
	w.begun = true
	var view View
	written, err := w.Known.Load(&view)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err == nil && (view.Node == nil || view.Node.Name != w.Settings.Node):
		err = errors.New("it names no node, or another one")
		fallthrough
	case err != nil:
		w.Log.Info("What this agent knew last can't be used; what was imported stays as it is", "cause", err.Error())
		return
	}
	w.Log.Info("The API server doesn't answer; going on with the networks that it told last", "told", written, "cause", why)
	w.Apply(Networks(&view, &w.Settings), false)
}

// told applies what the API server told, and keeps it.
func (w *Watcher) told(view *View, complete bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = true
	w.Apply(Networks(view, &w.Settings), complete)
	if w.Known == nil {
		return
	}
	kept := *view
	// The rest of a Node changes all the time.
	kept.Node = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: view.Node.Name, UID: view.Node.UID, Annotations: view.Node.Annotations}}
	if err := w.Known.Save(&kept); err != nil && err.Error() != w.complaint {
		w.complaint = err.Error()
		w.Log.Info("An agent that starts while the API server is away would have to wait for it", "cause", w.complaint)
	}
}
