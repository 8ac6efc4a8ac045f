package devices

import (
	"context"
	"syscall"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

const (
	// defaultInterval finds changes that no event reported.
	defaultInterval = time.Minute
	// defaultPause is the least time between passes, so that there is no fight with
	// something that undoes them. After a quiet while a pass follows an event at once.
	defaultPause = time.Second
)

// Loop runs passes. What an event says is not taken for a fact: a pass reads the kernel.
type Loop struct {
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Events are what the kernel is asked to tell.
	Events *rtnetlink.Subscription
	// Concerned says whether events may mean a pass.
	Concerned func([]syscall.NetlinkMessage) bool
	// Pass reports whether there is nothing to try again soon.
	Pass func() bool

	wake chan struct{}
}

// NewLoop returns a Loop that does nothing until Run.
func NewLoop() *Loop { return &Loop{wake: make(chan struct{}, 1)} }

// Poke asks for a pass.
func (l *Loop) Poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run makes passes until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	return l.Events.Follow(ctx, func(messages []syscall.NetlinkMessage) {
		if l.Concerned(messages) {
			l.Poke()
		}
	}, func(error) { l.Poke() }, l.passes)
}

func (l *Loop) passes(ctx context.Context) {
	interval, pause := l.Interval, l.Pause
	if interval == 0 {
		interval = defaultInterval
	}
	if pause == 0 {
		pause = defaultPause
	}
	for ctx.Err() == nil {
		next := interval
		if !l.Pass() {
			next = min(interval, 5*pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-time.After(max(next-pause, 0)):
		}
	}
}
