package evpn

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// subscribed are the kinds of events that may change a state. A bridge tells of its VLANs
// by its ports; a VNI that only a filter lost is found at the interval.
var subscribed = []uint{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR}

// Loop checks the networks whenever they change, whenever one of their devices or an
// address of theirs changes, and at an interval.
type Loop struct {
	// Namespace to look at; the zero value is the process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Report, if set, is called after every pass.
	Report func([]State)

	passes *devices.Loop
	// begun is closed once there is a network: most nodes have none, and then nothing
	// listens for events.
	begun chan struct{}
	once  sync.Once

	mu       sync.Mutex
	networks []Network
	applied  bool
	// names are those of devices that are looked for.
	names map[string]bool
}

// NewLoop returns a Loop that does nothing until Apply and Run.
func NewLoop(log logr.Logger) *Loop {
	return &Loop{Log: log, passes: devices.NewLoop(), begun: make(chan struct{})}
}

// Apply sets the networks. Without any the kernel is not read.
func (l *Loop) Apply(networks []Network) {
	names := map[string]bool{}
	for i := range networks {
		n := &networks[i]
		vtep := ovnk.VTEPDevicesOf(n.VTEP)
		own, _ := ovnk.NetworkDevicesOf(n.Name, n.ID)
		for _, name := range [...]string{vtep.Bridge, vtep.VXLAN, own.L3SVI, own.L2SVI, own.Port, n.VRF} {
			names[name] = true
		}
	}
	l.mu.Lock()
	l.networks, l.names, l.applied = networks, names, true
	l.mu.Unlock()
	if len(networks) > 0 {
		l.once.Do(func() { close(l.begun) })
	}
	select {
	case <-l.begun:
		l.passes.Poke()
	default:
		// That there is nothing to look at is worth a report, too.
		l.pass()
	}
}

// Run checks until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.begun:
	}
	l.passes.Interval, l.passes.Pause = l.Interval, l.Pause
	l.passes.Events = &rtnetlink.Subscription{Namespace: l.Namespace, Groups: slices.Clone(subscribed)}
	l.passes.Concerned, l.passes.Pass = l.concerned, l.pass
	return l.passes.Run(ctx)
}

// concerned sorts out the devices of pods, which come and go all the time.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(messages, func(m syscall.NetlinkMessage) bool {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			d, err := decodeDevice(m.Data)
			return err != nil || l.names[d.Name]
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			address, _, err := decodeAddress(m.Data)
			return err != nil || slices.ContainsFunc(l.networks, func(n Network) bool { return n.Endpoint == address })
		default:
			return false
		}
	})
}

// pass reports whether the kernel could be read.
func (l *Loop) pass() bool {
	l.mu.Lock()
	networks, applied := l.networks, l.applied
	l.mu.Unlock()
	if !applied {
		return true
	}
	states, err := look(l.Namespace, networks)
	if err != nil {
		l.Log.Error(err, "The node's EVPN devices could not be read; trying again")
	}
	if l.Report != nil {
		l.Report(states)
	}
	return err == nil
}

func look(namespace netns.NsHandle, networks []Network) ([]State, error) {
	if len(networks) == 0 {
		return nil, nil
	}
	observed, err := Observe(namespace, networks)
	if err != nil {
		return unread(networks, err), err
	}
	return Check(networks, observed), nil
}
