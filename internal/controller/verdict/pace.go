package verdict

import (
	"sync"
	"time"
)

// whileBehind spaces the writes of counts while much work is under way: they show
// progress, and cost one write per object.
const whileBehind = 15 * time.Second

// slowest is how far apart writes get that change no more than figures in a text.
// Each of them goes to everybody who watches RouteAdvertisements, and while nodes
// come one by one there would be one a second.
const slowest = 15 * time.Second

// growth is by how much that becomes longer from one to the next. With 4 a
// cluster of 1,000 nodes that comes up within half a minute costs five writes: the
// first, three that count, and the last.
const growth = 4

// pace spaces the writes of each object's status.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	last map[string]time.Time
	// grown is the time between two writes of text alone. It grows from one to the
	// next, and starts again after a pause or a write of something else.
	grown map[string]time.Duration
	// since is the time from which writes are delayed.
	since map[string]time.Time
}

// wait returns how long the next write of an object's status has to wait; textOnly
// says that it changes no status and no reason.
func (p *pace) wait(name string, textOnly bool, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, found := p.last[name]
	if !found {
		return 0
	}
	between := p.every
	if textOnly {
		between = max(between, p.grown[name])
	}
	return max(0, last.Add(between).Sub(now))
}

// slowly is wait for figures that will soon be others.
func (p *pace) slowly(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.last[name].Add(whileBehind).Sub(now))
}

// wrote notes a write.
func (p *pace) wrote(name string, textOnly bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last, p.grown = map[string]time.Time{}, map[string]time.Duration{}
	}
	grown := max(p.every, p.grown[name])
	switch paused := now.Sub(p.last[name]) > 2*grown; {
	case !textOnly || paused:
		p.grown[name] = p.every
	default:
		p.grown[name] = min(growth*grown, max(slowest, p.every))
	}
	p.last[name] = now
}

// held returns for how long the writes of an object's status have been held
// back, and counts from now where they were not.
func (p *pace) held(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	since, found := p.since[name]
	if !found {
		since = now
		p.since[name] = now
	}
	return now.Sub(since)
}

// release says that the writes are held back no longer.
func (p *pace) release(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, name)
}

// forget is for objects that are gone.
func (p *pace) forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, name)
	delete(p.grown, name)
	delete(p.since, name)
}
