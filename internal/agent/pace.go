package agent

import "time"

const (
	// firstWindow is how long after a sync the next one waits at least.
	firstWindow = 2 * time.Millisecond
	// lastWindow bounds how long a change may wait for others.
	lastWindow = 500 * time.Millisecond
	// waitFactor bounds the wait by what a sync takes, so that syncs keep OVSDB
	// busy for a twentieth of the time and cheap ones don't wait long.
	waitFactor = 20
	// restFactor leaves OVSDB a part of the time that a sync took for others.
	restFactor = 4
)

// pace decides when to sync: at once after a quiet time, and in growing steps
// while changes keep coming, because many changes in one transaction cost
// OVSDB and northd much less than one by one.
type pace struct {
	// window grows with each sync that had to wait, and starts again with one that
	// did not.
	window time.Duration
	ended  time.Time
	next   time.Time
}

// delay is how long to wait, at the time now, before the next sync.
func (p *pace) delay(now time.Time) time.Duration { return max(p.next.Sub(now), 0) }

// synced notes a sync that wrote something; waited is whether it had to wait for its
// time.
func (p *pace) synced(began, ended time.Time, waited bool) {
	p.window = min(2*p.window, waitFactor*ended.Sub(began), lastWindow)
	if !waited || p.window < firstWindow {
		p.window = firstWindow
	}
	p.ended = ended
	p.next = ended.Add(max(p.window, min(ended.Sub(began)/restFactor, lastWindow)))
}

// observed notes a sync that only looked, at everything.
func (p *pace) observed(began, ended time.Time) {
	p.next = ended.Add(min(waitFactor*ended.Sub(began), lastWindow))
}
