package vrfs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	// defaultInterval is how long a route that somebody deleted is missing:
	// route events are not followed, as there are too many with BGP.
	defaultInterval = time.Minute
	// defaultPause is the least time between passes, so that with somebody
	// who undoes them there is no fight.
	defaultPause = time.Second
)

// Loop runs a Keeper whenever the networks change, whenever somebody changes a
// VRF device or a rule, and at an interval.
type Loop struct {
	Keeper *Keeper
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Report, where set, is told of every pass.
	Report func(Report, error)

	mu       sync.Mutex
	networks []Network
	applied  bool
	wake     chan struct{}
	socket   *nl.NetlinkSocket
}

// NewLoop returns a Loop that does nothing until Apply and Run.
func NewLoop(keeper *Keeper) *Loop {
	return &Loop{Keeper: keeper, wake: make(chan struct{}, 1)}
}

// Apply sets the networks; see Keeper.Sync. Until it was called the kernel is
// left as it is.
func (l *Loop) Apply(networks []Network) {
	l.mu.Lock()
	l.networks, l.applied = networks, true
	l.mu.Unlock()
	l.poke()
}

func (l *Loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run keeps the devices until ctx ends. What was made stays.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.subscribe(); err != nil {
		return err
	}
	var reading sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	reading.Go(func() {
		if err := l.read(ctx); err != nil {
			cancel(err)
		}
	})
	l.passes(ctx)
	cancel(nil)
	l.mu.Lock()
	_ = l.socket.Close()
	l.mu.Unlock()
	reading.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
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
		if !l.pass() {
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

// pass tells whether there is nothing to try again.
func (l *Loop) pass() bool {
	l.mu.Lock()
	networks, applied := l.networks, l.applied
	l.mu.Unlock()
	if !applied {
		return true
	}
	report, err := l.Keeper.Sync(networks)
	if err != nil {
		l.Keeper.Log.Error(err, "Not everything about VRF devices could be done; trying again")
	}
	if l.Report != nil {
		l.Report(report, err)
	}
	return err == nil
}

// subscribe opens a new socket before it closes the old one.
func (l *Loop) subscribe() error {
	s, err := nl.SubscribeAt(orOwn(l.Keeper.Namespace), netns.None(), unix.NETLINK_ROUTE,
		unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return fmt.Errorf("cannot subscribe to the kernel's device and rule events: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket != nil {
		_ = l.socket.Close()
	}
	l.socket = s
	return nil
}

// read turns events into passes until ctx ends. Lost events are a pass too.
func (l *Loop) read(ctx context.Context) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		s := l.socket
		l.mu.Unlock()
		messages, _, err := s.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if l.concerned(messages) {
				l.poke()
			}
		case !errors.Is(err, syscall.EINTR):
			if err := l.subscribe(); err != nil {
				return err
			}
			l.poke()
		}
	}
	return nil
}

// concerned sorts out the devices of pods, which come and go all the time.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		switch m.Header.Type {
		case unix.RTM_NEWRULE, unix.RTM_DELRULE:
			if r, err := decodeRule(m.Data); err != nil || r.Priority == RulePriority {
				return true
			}
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			d, err := decodeDevice(m.Data)
			if err != nil || d.Kind == kindVRF {
				return true
			}
			for i := range l.networks {
				if l.networks[i].VRF == d.Name {
					return true
				}
			}
		}
	}
	return false
}
