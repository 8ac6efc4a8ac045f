package optional

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kinds knows which of the optional kinds the API server serves. Once served,
// a kind counts as served for good: if its CRD is deleted, what was last read
// of it stays.
type Kinds struct {
	mapper meta.RESTMapper
	every  time.Duration
	log    logr.Logger

	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]*kind
}

type kind struct {
	served bool
	// appeared is closed when served turns true.
	appeared chan struct{}
}

// NewKinds returns Kinds that looks for missing kinds again after each period.
func NewKinds(mapper meta.RESTMapper, every time.Duration, log logr.Logger, gvks ...schema.GroupVersionKind) *Kinds {
	k := &Kinds{mapper: mapper, every: every, log: log, kinds: map[schema.GroupVersionKind]*kind{}}
	for _, gvk := range gvks {
		k.kinds[gvk] = &kind{appeared: make(chan struct{})}
	}
	return k
}

// NeedLeaderElection is false: a standby keeps its caches warm, too.
func (k *Kinds) NeedLeaderElection() bool { return false }

// Start looks for the missing kinds until ctx ends.
func (k *Kinds) Start(ctx context.Context) error {
	ticker := time.NewTicker(k.every)
	defer ticker.Stop()
	for {
		if len(k.missing()) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			k.look()
		}
	}
}

func (k *Kinds) missing() []schema.GroupVersionKind {
	k.mu.Lock()
	defer k.mu.Unlock()
	var gvks []schema.GroupVersionKind
	for gvk, kind := range k.kinds {
		if !kind.served {
			gvks = append(gvks, gvk)
		}
	}
	return gvks
}

func (k *Kinds) look() {
	for _, gvk := range k.missing() {
		served, err := k.ask(gvk)
		if err != nil {
			k.log.Error(err, "Cannot find out whether the API server serves an optional kind; trying again", "kind", gvk)
			continue
		}
		if served {
			k.log.Info("An optional kind appeared; watching it from now on", "kind", gvk)
		}
	}
}

// ask asks the server about one kind and remembers a yes.
func (k *Kinds) ask(gvk schema.GroupVersionKind) (bool, error) {
	_, err := k.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if kind := k.kinds[gvk]; !kind.served {
		kind.served = true
		close(kind.appeared)
	}
	return true, nil
}

// Served reports whether the kind was seen; ordinary kinds count as seen.
func (k *Kinds) Served(gvk schema.GroupVersionKind) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	kind := k.kinds[gvk]
	return kind == nil || kind.served
}

var errNotOptional = errors.New("not declared as an optional kind")

// appears returns a channel that is closed once the kind is served.
func (k *Kinds) appears(gvk schema.GroupVersionKind) (<-chan struct{}, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kind := k.kinds[gvk]
	if kind == nil {
		return nil, errNotOptional
	}
	return kind.appeared, nil
}
