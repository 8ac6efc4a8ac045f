package agent

import (
	"testing"
	"time"
)

// The first change after a quiet time is written at once, whatever was before.
func TestPaceStartsAtOnce(t *testing.T) {
	var p pace
	now := time.Now()
	if d := p.delay(now); d != 0 {
		t.Errorf("the very first waits %s", d)
	}
	p.synced(now, now.Add(3*time.Second), false)
	now = now.Add(3 * time.Second)
	if d := p.delay(now); d > lastWindow {
		t.Errorf("after a long sync the next waits %s", d)
	}
	now = now.Add(lastWindow)
	for range 5 {
		if d := p.delay(now); d != 0 {
			t.Errorf("a change after a quiet time waits %s", d)
		}
		p.synced(now, now.Add(time.Millisecond), false)
		now = now.Add(20 * time.Millisecond)
	}
}

// While changes keep coming, syncs take a small part of the time, and no change
// waits longer than the last window.
func TestPaceCoalesces(t *testing.T) {
	for _, test := range []struct {
		took        time.Duration
		most        int
		longestWait time.Duration
	}{
		{100 * time.Microsecond, 4800, 2 * time.Millisecond},
		{time.Millisecond, 500, 20 * time.Millisecond},
		{10 * time.Millisecond, 60, 200 * time.Millisecond},
		{100 * time.Millisecond, 25, lastWindow},
	} {
		var p pace
		now := time.Now()
		end, syncs, longest := now.Add(10*time.Second), 0, time.Duration(0)
		for now.Before(end) {
			wait := p.delay(now)
			longest = max(longest, wait)
			began := now.Add(wait)
			now = began.Add(test.took)
			p.synced(began, now, wait > 0)
			syncs++
		}
		if syncs > test.most || longest > test.longestWait {
			t.Errorf("syncs of %s: %d in ten seconds, the longest wait %s", test.took, syncs, longest)
		}
	}
}
