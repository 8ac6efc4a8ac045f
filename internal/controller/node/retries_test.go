package node

import (
	"errors"
	"testing"
	"time"
)

func TestRefusalsAreTriedAgainRarely(t *testing.T) {
	var r retries
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	blame := map[string]error{"ra": errors.New("no")}

	if _, wait := r.refused("one", 1, now); wait != 0 {
		t.Errorf("a node that was never refused waits %s", wait)
	}
	var waits []time.Duration
	for range 8 {
		wait := r.refuse("one", 1, blame, now)
		waits = append(waits, wait)
		if got, left := r.refused("one", 1, now.Add(wait-time.Second)); left != time.Second || len(got) != 1 {
			t.Errorf("a second before its time: blame %v, %s left", got, left)
		}
		if _, left := r.refused("one", 2, now); left != 0 {
			t.Errorf("other inputs wait %s", left)
		}
		now = now.Add(wait)
		if _, left := r.refused("one", 1, now); left != 0 {
			t.Errorf("when its time has come it waits %s", left)
		}
	}
	if waits[0] != firstRefusalRetry || waits[1] != 2*firstRefusalRetry || waits[7] != lastRefusalRetry {
		t.Errorf("waits %v", waits)
	}
	if len(r.refusedBefore("one")) != 1 {
		t.Error("what was refused before is forgotten")
	}
	if wait := r.refuse("one", 3, blame, now); wait != firstRefusalRetry {
		t.Errorf("other inputs that are refused wait %s", wait)
	}
	r.forget("one")
	if len(r.refusedBefore("one")) != 0 {
		t.Error("what was refused of a node that is well is remembered")
	}
}

func TestFailuresAreTriedAgainSoon(t *testing.T) {
	var r retries
	var waits []time.Duration
	for range 12 {
		waits = append(waits, r.fail("one"))
	}
	if waits[0] != firstFailureRetry || waits[1] != 2*firstFailureRetry || waits[11] != lastFailureRetry {
		t.Errorf("waits %v", waits)
	}
	if wait := r.fail("two"); wait != firstFailureRetry {
		t.Errorf("another node waits %s", wait)
	}
}
