package verdict

import (
	"sync"
	"time"
)

// whileBehind spaces the writes of figures from the midst of much work: they
// show that it goes on, and cost one write per object.
const whileBehind = 15 * time.Second

// pace spaces the writes of each object's status.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	last map[string]time.Time
	// since tells from when on writes are held back.
	since map[string]time.Time
}

// wait returns how long the next write of an object's status has to wait.
func (p *pace) wait(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, found := p.last[name]
	if !found {
		return 0
	}
	return max(0, last.Add(p.every).Sub(now))
}

// slowly is wait for figures that will soon be others.
func (p *pace) slowly(name string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.last[name].Add(whileBehind).Sub(now))
}

// wrote notes a write.
func (p *pace) wrote(name string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[string]time.Time{}
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
	delete(p.since, name)
}
