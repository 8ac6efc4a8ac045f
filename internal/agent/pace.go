package agent

import "time"

const (
	// firstWindow is how long after a sync the next one waits at least.
	firstWindow = 2 * time.Millisecond
	// lastWindow bounds how long a change may wait for others.
	lastWindow = 500 * time.Millisecond
)

// pace decides when to sync: at once after a quiet time, and in growing steps
// while changes keep coming, because many changes in one transaction cost
// OVSDB much less than one by one.
type pace struct {
	window time.Duration
	ended  time.Time
}

// delay tells how long to wait at the time now before the next sync.
func (p *pace) delay(now time.Time) time.Duration {
	if p.ended.IsZero() {
		return 0
	}
	return max(p.ended.Add(p.window).Sub(now), 0)
}

// synced notes a sync that wrote something.
func (p *pace) synced(began, ended time.Time) {
	quiet := began.Sub(p.ended)
	switch {
	case p.ended.IsZero() || quiet > 4*p.window:
		p.window = firstWindow
	default:
		p.window = min(2*p.window, lastWindow)
	}
	// A sync that takes long is not started again right away.
	p.window = min(max(p.window, ended.Sub(began)), lastWindow)
	p.ended = ended
}
