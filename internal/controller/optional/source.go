package optional

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Source watches a kind from the start where it is served, else from when it
// appears. Unlike source.Kind it does not hold up the controller for a missing
// CRD.
type Source[object client.Object, request comparable] struct {
	kinds *Kinds
	gvk   schema.GroupVersionKind
	kind  source.TypedSyncingSource[request]
	// late is set where the kind was missing at the start.
	late bool
	// appeared is called then once the kind is served.
	appeared func(context.Context, workqueue.TypedRateLimitingInterface[request])
}

// NewSource returns a Source for a kind that kinds knows about.
func NewSource[object client.Object, request comparable](
	kinds *Kinds, gvk schema.GroupVersionKind, cache cache.Cache, example object,
	handler handler.TypedEventHandler[object, request], predicates ...predicate.TypedPredicate[object],
) *Source[object, request] {
	return &Source[object, request]{
		kinds: kinds, gvk: gvk,
		kind: source.TypedKind(cache, example, handler, predicates...),
	}
}

// OnAppearance has f called when a kind appears that was missing at the start, of
// which there is nothing yet that could have an event.
func (s *Source[object, request]) OnAppearance(f func(context.Context, workqueue.TypedRateLimitingInterface[request])) *Source[object, request] {
	s.appeared = f
	return s
}

// Start starts the watch, or waits in the background until it can.
func (s *Source[object, request]) Start(ctx context.Context, queue workqueue.TypedRateLimitingInterface[request]) error {
	appears, err := s.kinds.appears(s.gvk)
	if err != nil {
		return fmt.Errorf("cannot watch %s: %w", s.gvk, err)
	}
	served, err := s.kinds.ask(s.gvk)
	if err != nil {
		return fmt.Errorf("cannot find out whether the API server serves %s: %w", s.gvk, err)
	}
	if served {
		return s.kind.Start(ctx, queue)
	}
	s.late = true
	s.kinds.log.Info("The API server does not serve an optional kind; continuing without it until it appears", "kind", s.gvk)
	go func() {
		select {
		case <-ctx.Done():
		case <-appears:
			if err := s.kind.Start(ctx, queue); err != nil {
				s.kinds.log.Error(err, "Cannot watch an optional kind that appeared", "kind", s.gvk)
			}
			if s.appeared != nil {
				s.appeared(ctx, queue)
			}
		}
	}()
	return nil
}

// WaitForSync waits only for a watch that was started.
func (s *Source[object, request]) WaitForSync(ctx context.Context) error {
	if s.late {
		return nil
	}
	return s.kind.WaitForSync(ctx)
}

// String names the source in logs.
func (s *Source[object, request]) String() string {
	return fmt.Sprintf("optional kind source: %s", s.gvk)
}
