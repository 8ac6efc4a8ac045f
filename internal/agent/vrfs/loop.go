package vrfs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Loop runs a Keeper whenever the networks change, whenever a VRF device, a rule or a
// route that closes a table changes, and at an interval.
type Loop struct {
	Keeper *Keeper
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Report, if set, is called after every pass.
	Report func(Report, error)

	passes *devices.Loop

	mu       sync.Mutex
	networks []Network
	applied  bool
	// troubled is set while something could not be done for a network.
	troubled bool
}

// NewLoop returns a Loop that does nothing until Apply and Run.
func NewLoop(keeper *Keeper) *Loop {
	return &Loop{Keeper: keeper, passes: devices.NewLoop()}
}

// Apply sets the networks; see Keeper.Sync. Until it was called the kernel is
// left as it is.
func (l *Loop) Apply(networks []Network) {
	l.mu.Lock()
	l.networks, l.applied = networks, true
	l.mu.Unlock()
	l.passes.Poke()
}

// Run keeps the devices until ctx ends. What was made stays.
func (l *Loop) Run(ctx context.Context) error {
	l.passes.Interval, l.passes.Pause = l.Interval, l.Pause
	l.passes.Events, l.passes.Concerned, l.passes.Pass = l.subscription(), l.concerned, l.pass
	return l.passes.Run(ctx)
}

func (l *Loop) subscription() *rtnetlink.Subscription {
	return &rtnetlink.Subscription{Namespace: l.Keeper.Namespace, Groups: subscribed, Filter: onlyDefaultRoutes()}
}

// pass reports whether there is nothing to try again.
func (l *Loop) pass() bool {
	l.mu.Lock()
	networks, applied := l.networks, l.applied
	l.mu.Unlock()
	if !applied {
		return true
	}
	report, err := l.Keeper.Sync(networks)
	l.mu.Lock()
	l.troubled = slices.ContainsFunc(report.Networks, func(s State) bool { return s.Problem != "" })
	l.mu.Unlock()
	if err != nil {
		l.Keeper.Log.Error(err, "Not everything about VRF devices could be done; trying again")
	}
	if l.Report != nil {
		l.Report(report, err)
	}
	return err == nil
}
