package vteps

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// subscribed are the kinds of events that may take an address away.
var subscribed = []uint{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}

// Loop runs a Keeper whenever the VTEPs change, whenever one of their devices or addresses
// does, and at an interval.
type Loop struct {
	Keeper *Keeper
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Report, if set, is called after every pass.
	Report func(Report, error)

	passes *devices.Loop

	mu      sync.Mutex
	vteps   []VTEP
	names   map[string]bool
	applied bool
}

// NewLoop returns a Loop that does nothing until Apply and Run.
func NewLoop(keeper *Keeper) *Loop {
	return &Loop{Keeper: keeper, passes: devices.NewLoop()}
}

// Apply sets the VTEPs; see Keeper.Sync. Until it was called the kernel is left as it is.
func (l *Loop) Apply(vteps []VTEP) {
	names := map[string]bool{}
	for _, s := range begin(vteps) {
		names[s.Device] = true
	}
	l.mu.Lock()
	l.vteps, l.names, l.applied = vteps, names, true
	l.mu.Unlock()
	l.passes.Poke()
}

// Run keeps the devices until ctx ends. What was made stays.
func (l *Loop) Run(ctx context.Context) error {
	l.passes.Interval, l.passes.Pause = l.Interval, l.Pause
	l.passes.Events = &rtnetlink.Subscription{Namespace: l.Keeper.Namespace, Groups: slices.Clone(subscribed)}
	l.passes.Concerned, l.passes.Pass = l.concerned, l.pass
	return l.passes.Run(ctx)
}

// concerned sorts out the devices of pods, which come and go all the time.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := func(address Address) bool {
		return slices.ContainsFunc(l.vteps, func(v VTEP) bool { return slices.Contains(v.Addresses, address.Prefix.Addr()) })
	}
	return slices.ContainsFunc(messages, func(m syscall.NetlinkMessage) bool {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			d, err := decodeDevice(m.Data)
			return err != nil || d.ours() || l.names[d.Name]
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			address, err := decodeAddress(m.Data)
			return err != nil || wanted(address)
		default:
			return false
		}
	})
}

// pass reports whether there is nothing to try again.
func (l *Loop) pass() bool {
	l.mu.Lock()
	vteps, applied := l.vteps, l.applied
	l.mu.Unlock()
	if !applied || len(vteps) == 0 && l.Keeper.Observing != "" {
		if applied && l.Report != nil {
			l.Report(Report{}, nil)
		}
		return true
	}
	report, err := l.Keeper.Sync(vteps)
	if err != nil {
		l.Keeper.Log.Error(err, "Not everything about the addresses of VTEPs could be done; trying again")
	}
	if l.Report != nil {
		l.Report(report, err)
	}
	return err == nil
}
