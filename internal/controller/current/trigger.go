package current

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// Trigger puts requests of other controllers into a controller's queue. It
// never blocks, and what came before the queue was there is not lost, which a
// channel source would not promise.
type Trigger[request comparable] struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[request]
	early map[request]bool
}

// Source is what the controller watches.
func (t *Trigger[request]) Source() source.TypedSource[request] {
	return source.TypedFunc[request](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[request]) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.queue = queue
		for r := range t.early {
			queue.Add(r)
		}
		t.early = nil
		return nil
	})
}

// Now adds requests that somebody waits for.
func (t *Trigger[request]) Now(requests ...request) { t.add(0, requests) }

// Later adds requests that have to let others pass: after a change that
// concerns every node, a node that changes by itself must not wait for all.
func (t *Trigger[request]) Later(requests ...request) { t.add(handler.LowPriority, requests) }

func (t *Trigger[request]) add(priority int, requests []request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue == nil {
		if t.early == nil {
			t.early = map[request]bool{}
		}
		for _, r := range requests {
			t.early[r] = true
		}
		return
	}
	if queue, ok := t.queue.(priorityqueue.PriorityQueue[request]); ok {
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, requests...)
		return
	}
	for _, r := range requests {
		t.queue.Add(r)
	}
}
