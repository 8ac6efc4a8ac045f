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

// While changes keep coming fewer and fewer syncs are made, but no change
// waits longer than the last window.
func TestPaceCoalesces(t *testing.T) {
	var p pace
	now := time.Now()
	end, syncs, longest := now.Add(10*time.Second), 0, time.Duration(0)
	for now.Before(end) {
		wait := p.delay(now)
		longest = max(longest, wait)
		began := now.Add(wait)
		now = began.Add(time.Millisecond)
		p.synced(began, now, wait > 0)
		syncs++
	}
	if syncs > 40 || longest > lastWindow {
		t.Errorf("%d syncs in ten seconds, the longest wait %s", syncs, longest)
	}
}
