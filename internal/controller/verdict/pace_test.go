package verdict

import (
	"testing"
	"time"
)

func TestPaceSpacesWritesOfOneObject(t *testing.T) {
	p := pace{every: time.Second}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if wait := p.wait("ra", start); wait != 0 {
		t.Errorf("the first write waits %s", wait)
	}
	p.wrote("ra", start)
	for after, want := range map[time.Duration]time.Duration{
		0: time.Second, 400 * time.Millisecond: 600 * time.Millisecond, time.Second: 0, time.Hour: 0,
	} {
		if wait := p.wait("ra", start.Add(after)); wait != want {
			t.Errorf("%s after a write the next waits %s, want %s", after, wait, want)
		}
	}
	if wait := p.wait("other", start); wait != 0 {
		t.Errorf("another object waits %s", wait)
	}
	p.forget("ra")
	if wait := p.wait("ra", start); wait != 0 {
		t.Errorf("an object that is made anew waits %s", wait)
	}
}

func TestPaceCountsFromWhenItHeldBackFirst(t *testing.T) {
	p := pace{every: time.Second}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, 400 * time.Millisecond, time.Minute} {
		if held := p.held("ra", start.Add(after)); held != after {
			t.Errorf("after %s it is held for %s", after, held)
		}
	}
	p.release("ra")
	if held := p.held("ra", start.Add(time.Hour)); held != 0 {
		t.Errorf("after its release it is held for %s already", held)
	}
}
