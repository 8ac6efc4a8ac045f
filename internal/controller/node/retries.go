package node

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/util/wait"

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

// doubling is a backoff whose waits double from the first to the last, at which they
// stay.
func doubling(first, last time.Duration) wait.Backoff {
	return wait.Backoff{Duration: first, Factor: 2, Cap: last, Steps: math.MaxInt}
}

// retries remembers what was refused on which node. The zero value is empty.
type retries struct {
	mu    sync.Mutex
	nodes map[string]*retry
}

type retry struct {
	// inputs is the fingerprint of what was refused.
	inputs uint64
	// blame holds the RouteAdvertisements found at fault, with the reason.
	blame map[string]error
	// again is when to try them again.
	again time.Time
	// refusals and failures have the waits after those in a row.
	refusals, failures wait.Backoff
}

// fingerprint identifies a node's inputs, to see if they are still those refused.
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
func (r *retries) refused(node string, inputs uint64, now time.Time) (blame map[string]error, left time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.nodes[node]
	if known == nil || len(known.blame) == 0 || known.inputs != inputs {
		return nil, 0
	}
	if left = known.again.Sub(now); left <= 0 {
		return nil, 0
	}
	return known.blame, left
}

// refusedBefore are the RouteAdvertisements that were last found at fault.
func (r *retries) refusedBefore(node string) map[string]error {
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
		known.refusals = doubling(firstRefusalRetry, lastRefusalRetry)
	}
	known.failures = doubling(firstFailureRetry, lastFailureRetry)
	again := known.refusals.Step()
	known.inputs, known.blame, known.again = inputs, blame, now.Add(again)
	return again
}

// fail notes a failed write and returns when to try again.
func (r *retries) fail(node string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of(node).failures.Step()
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
		r.nodes[node] = &retry{refusals: doubling(firstRefusalRetry, lastRefusalRetry), failures: doubling(firstFailureRetry, lastFailureRetry)}
	}
	return r.nodes[node]
}
