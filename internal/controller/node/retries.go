package node

import (
	"sync"
	"time"

	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// What was refused once is refused again unless something that the operator
// may not see has changed, so it is tried rarely. Failed writes are tried soon.
const (
	firstRefusalRetry = 30 * time.Second
	lastRefusalRetry  = 30 * time.Minute
	firstFailureRetry = 500 * time.Millisecond
	lastFailureRetry  = time.Minute
)

// retries remembers what was refused on which node. The zero value is empty.
type retries struct {
	mu    sync.Mutex
	nodes map[string]*retry
}

type retry struct {
	// inputs is the fingerprint of what was refused.
	inputs uint64
	// blame holds the RouteAdvertisements found at fault, with the reason.
	blame     map[string]error
	refusedAt time.Time
	// refusals and failures count those in a row.
	refusals, failures int
}

// fingerprint tells whether a node's inputs are still those that were refused.
// The revision is part of it, because other objects may have caused a refusal:
// frr-k8s' webhook looks at all that concern a node.
func fingerprint(revision uint64, objects []*frrk8sv1beta1.FRRConfiguration) uint64 {
	raw := binary.LittleEndian.AppendUint64(nil, revision)
	for _, o := range objects {
		raw = binary.LittleEndian.AppendUint64(raw, render.Hash(o))
	}
	return xxhash.Sum64(raw)
}

// refused returns the RouteAdvertisements to leave out, and for how long yet,
// where the same inputs were refused not long ago.
func (r *retries) refused(node string, inputs uint64, now time.Time) (blame map[string]error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.nodes[node]
	if known == nil || len(known.blame) == 0 || known.inputs != inputs {
		return nil, 0
	}
	wait = known.refusedAt.Add(backoff(firstRefusalRetry, lastRefusalRetry, known.refusals)).Sub(now)
	if wait <= 0 {
		return nil, 0
	}
	return known.blame, wait
}

// suspects are the RouteAdvertisements that were last found at fault.
func (r *retries) suspects(node string) map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.nodes[node]; known != nil {
		return known.blame
	}
	return nil
}

// refuse notes a refusal and returns when to try again.
func (r *retries) refuse(node string, inputs uint64, blame map[string]error, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.of(node)
	if known.inputs != inputs {
		known.refusals = 0
	}
	known.inputs, known.blame, known.refusedAt = inputs, blame, now
	known.refusals++
	known.failures = 0
	return backoff(firstRefusalRetry, lastRefusalRetry, known.refusals)
}

// fail notes a failed write and returns when to try again.
func (r *retries) fail(node string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.of(node)
	known.failures++
	return backoff(firstFailureRetry, lastFailureRetry, known.failures)
}

// forget is for nodes that are well or gone.
func (r *retries) forget(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.nodes, node)
}

// of needs the lock.
func (r *retries) of(node string) *retry {
	if r.nodes == nil {
		r.nodes = map[string]*retry{}
	}
	if r.nodes[node] == nil {
		r.nodes[node] = &retry{}
	}
	return r.nodes[node]
}

// backoff doubles with each try in a row, counted from 1.
func backoff(first, last time.Duration, tries int) time.Duration {
	wait := first
	for range tries - 1 {
		wait *= 2
		if wait >= last {
			return last
		}
	}
	return wait
}
