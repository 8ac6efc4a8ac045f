package verdict

import (
	"testing"
	"time"
)

func TestPaceSpacesWritesOfOneObject(t *testing.T) {
	p := pace{every: time.Second}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if wait := p.wait("ra", false, start); wait != 0 {
		t.Errorf("the first write waits %s", wait)
	}
	p.wrote("ra", false, start)
	for after, want := range map[time.Duration]time.Duration{
		0: time.Second, 400 * time.Millisecond: 600 * time.Millisecond, time.Second: 0, time.Hour: 0,
	} {
		if wait := p.wait("ra", false, start.Add(after)); wait != want {
			t.Errorf("%s after a write the next waits %s, want %s", after, wait, want)
		}
	}
	if wait := p.wait("other", false, start); wait != 0 {
		t.Errorf("another object waits %s", wait)
	}
	p.forget("ra")
	if wait := p.wait("ra", false, start); wait != 0 {
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

// Nodes come one by one at 50 a second, as when a cluster grows: the text counts
// them, and each write goes to everybody who watches.
func TestTextThatCountsIsWrittenLessAndLessOften(t *testing.T) {
	p := pace{every: time.Second}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p.wrote("ra", false, start)
	var writes []time.Duration
	const nodesComeFor = 29 * time.Second
	for at := time.Duration(0); at < nodesComeFor; at += 20 * time.Millisecond {
		if p.wait("ra", true, start.Add(at)) == 0 {
			writes = append(writes, at)
			p.wrote("ra", true, start.Add(at))
		}
	}
	// With the first write and the last one that makes five.
	if len(writes) > 3 {
		t.Errorf("the text was written %d times: %v", len(writes), writes)
	}
	if wait := p.wait("ra", true, start.Add(nodesComeFor)); wait == 0 || wait > slowest {
		t.Errorf("text waits %s", wait)
	}
	if wait := p.wait("ra", false, start.Add(nodesComeFor)); wait != 0 {
		t.Errorf("the last node, with which a condition turns True, waits %s", wait)
	}
	p.wrote("ra", false, start.Add(nodesComeFor))
	if wait := p.wait("ra", true, start.Add(nodesComeFor)); wait != p.every {
		t.Errorf("afterwards text waits %s", wait)
	}
	p.wrote("ra", true, start.Add(time.Hour))
	if wait := p.wait("ra", true, start.Add(time.Hour)); wait != p.every {
		t.Errorf("after a pause text waits %s", wait)
	}
}
