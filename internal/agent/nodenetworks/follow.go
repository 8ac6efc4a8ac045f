package nodenetworks

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
)

var kind = v1alpha1.GroupVersion.WithKind("NodeNetworks")

const (
	// askWithin is how long one answer may take.
	askWithin = 30 * time.Second
	// complainAgain is how often the same trouble is logged.
	complainAgain = time.Minute
)

// pause is what is waited after a failure. Thousands of agents wait for the same API
// server.
func pause() wait.Backoff {
	return wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.5, Steps: 6, Cap: 30 * time.Second}
}

// Watcher follows the node's object and hands on the networks whenever they change.
type Watcher struct {
	Config   *rest.Config
	Settings Settings
	Log      logr.Logger
	// Apply gets the networks. They are complete only if they come from the manager's
	// current object; otherwise networks that are not among them keep what they have.
	Apply func(networks []agent.Network, complete bool)
	// Given, if set, gets the addresses of VTEPs that the manager gave to the node, by
	// VTEP, whenever its object changes.
	Given func(map[string][]netip.Addr)
	// Patient watchers wait for the API server, and for the manager to write the
	// object. Others end with the cause.
	Patient bool
	// Known, if set, keeps the object, for an agent that starts while the API server
	// is away.
	Known *lastknown.File
	// Changed is called when State may have changed; it must return at once.
	Changed func()

	state state

	client client.WithWatch
	// pauses grow from failure to failure.
	pauses     wait.Backoff
	complained time.Time
}

// Run follows the object until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	if err := w.connect(); err != nil {
		return err
	}
	late := time.AfterFunc(knownAfter, func() { w.unanswered("it is slow") })
	defer late.Stop()
	w.pauses = pause()
	for ctx.Err() == nil {
		err := w.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			// The API server ends a watch after some minutes, which is no failure.
			continue
		case !w.Patient:
			return fmt.Errorf("cannot follow NodeNetworks %q at %s: %w", w.Settings.Node, w.Config.Host, err)
		}
		w.unanswered(err.Error())
		if time.Since(w.complained) > complainAgain {
			w.Log.Info("NodeNetworks can't be read; trying again, and what was imported stays as it is", "server", w.Config.Host, "cause", err.Error())
			w.complained = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-time.After(w.pauses.Step()):
		}
	}
	return nil
}

// connect makes a client. It knows the one kind, so that it need not ask the API
// server for all that there are.
func (w *Watcher) connect() error {
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.AddSpecific(kind, kind.GroupVersion().WithResource("nodenetworks"), kind.GroupVersion().WithResource("nodenetworks"), meta.RESTScopeRoot)
	var err error
	w.client, err = client.NewWithWatch(w.Config, client.Options{Mapper: mapper})
	return err
}

// follow reads the object and watches it, until the watch ends. It neither lists nor
// has an informer, because that needs the right to list every node's.
func (w *Watcher) follow(ctx context.Context) error {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	asked, cancel := context.WithTimeout(ctx, askWithin)
	err := w.client.Get(asked, client.ObjectKey{Name: w.Settings.Node}, object)
	cancel()
	switch {
	case apierrors.IsNotFound(err):
		if err := w.absent(); err != nil {
			return err
		}
		object.SetResourceVersion("")
	case err != nil:
		return err
	default:
		w.told(object)
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	// Without a version the watch begins with what there is by then.
	events, err := w.client.Watch(ctx, list, &client.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, w.Settings.Node),
		Raw:           &metav1.ListOptions{ResourceVersion: object.GetResourceVersion()},
	})
	if err != nil {
		return err
	}
	defer events.Stop()
	w.pauses = pause()
	for event := range events.ResultChan() {
		if err := w.event(event); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) event(event watch.Event) error {
	switch event.Type {
	case watch.Added, watch.Modified:
		if object, ok := event.Object.(*unstructured.Unstructured); ok {
			w.told(object)
		}
		return nil
	case watch.Deleted:
		return w.absent()
	case watch.Error:
		return apierrors.FromObject(event.Object)
	default:
		return nil
	}
}

// errAbsent is for those who can't wait.
var errAbsent = errors.New("the manager has written none: check that it runs; or look without it, with --cluster-subnets, --service-subnets and --gateway-interface")

// absent is called while the API server has no object for the node: there is no
// manager, an older one, or it can't plan the node yet. Nothing is taken away for that.
func (w *Watcher) absent() error {
	if networks, ok := WithoutManager(&w.Settings); ok && !w.Patient {
		w.Apply(networks, false)
		return nil
	}
	if !w.Patient {
		return errAbsent
	}
	w.unanswered("it has no NodeNetworks for this node")
	w.change(func(s *state) {
		if !s.absent {
			w.Log.Info("Waiting for the manager; what was imported stays as it is", "cause", State{Absent: true}.Trouble())
		}
		s.absent = true
	})
	return nil
}
