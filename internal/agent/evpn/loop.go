package evpn

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/devices"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Loop checks the networks whenever they change, whenever one of their devices or an
// address of theirs changes, and at an interval. With a Keeper it makes the devices, too.
type Loop struct {
	// Namespace to look at; the zero value is the process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// Keeper, if set, makes the devices. It is to have the same Namespace.
	Keeper *Keeper
	// Interval and Pause have defaults where they are 0.
	Interval, Pause time.Duration
	// Report, if set, is called after every pass.
	Report func(Report)

	passes *devices.Loop
	// begun is closed once there is a network: most nodes have none, and then nothing
	// listens for events. A Keeper may have to remove what an earlier agent made.
	begun chan struct{}
	once  sync.Once
	// located wakes what writes entries.
	located chan struct{}

	mu       sync.Mutex
	networks []Network
	applied  bool
	// hosts are nil until they are known.
	hosts map[string][]Host
	// names are those of devices that are looked for, macs and addresses those of hosts.
	names     map[string]bool
	macs      map[MAC]bool
	addresses map[netip.Addr]bool
}

// NewLoop returns a Loop that does nothing until Apply and Run.
func NewLoop(log logr.Logger) *Loop {
	return &Loop{Log: log, passes: devices.NewLoop(), begun: make(chan struct{}), located: make(chan struct{}, 1)}
}

// Apply sets the networks. Without any the kernel is not read, if there is no Keeper. For
// that they have to be all that the node is to have; see Plan.
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
	if len(networks) > 0 || l.Keeper != nil {
		l.once.Do(func() { close(l.begun) })
	}
	select {
	case <-l.begun:
		l.passes.Poke()
	default:
		// That there is nothing to look at is worth a report, too.
		l.pass(context.Background())
	}
}

// ApplyHosts sets the hosts of the node by the networks' names. nil means that they are
// not known, and leaves their entries as they are; a network that is not in hosts has
// none. Entries are written at once, and not only with the next pass.
func (l *Loop) ApplyHosts(hosts map[string][]Host) {
	macs, addresses := map[MAC]bool{}, map[netip.Addr]bool{}
	for _, of := range hosts {
		m, a := located(of, MAC{})
		for mac := range m {
			macs[mac] = true
		}
		for address := range a {
			addresses[address] = true
		}
	}
	l.mu.Lock()
	l.hosts, l.macs, l.addresses = hosts, macs, addresses
	l.mu.Unlock()
	select {
	case l.located <- struct{}{}:
	default:
	}
}

// Poke asks for a pass, as after a change of Open vSwitch's ports.
func (l *Loop) Poke() { l.passes.Poke() }

func (l *Loop) latest() map[string][]Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hosts
}

// Run checks until ctx ends. What was made stays.
func (l *Loop) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.begun:
	}
	l.passes.Interval, l.passes.Pause = l.Interval, l.Pause
	l.passes.Events = l.subscription()
	l.passes.Concerned, l.passes.Pass = l.concerned, func() bool { return l.pass(ctx) }
	if l.Keeper == nil {
		return l.passes.Run(ctx)
	}
	var writing sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer writing.Wait()
	defer cancel()
	writing.Go(func() { l.locate(ctx) })
	return l.passes.Run(ctx)
}

// locate writes entries as soon as hosts come or go. What it can't do is for a pass.
func (l *Loop) locate(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.located:
		}
		if !l.Keeper.locate(ctx, l.latest) {
			l.passes.Poke()
		}
	}
}

// pass reports whether all could be read and done.
func (l *Loop) pass(ctx context.Context) bool {
	l.mu.Lock()
	networks, applied := l.networks, l.applied
	l.mu.Unlock()
	if !applied {
		return true
	}
	report, err := l.look(ctx, networks)
	if err != nil && ctx.Err() == nil {
		l.Log.Error(err, "Not everything about the node's EVPN devices could be read or done; trying again")
	}
	if report.outdated {
		l.passes.Poke()
	}
	if l.Report != nil {
		l.Report(report)
	}
	return err == nil
}

func (l *Loop) look(ctx context.Context, networks []Network) (Report, error) {
	if l.Keeper != nil {
		return l.Keeper.sync(ctx, networks, l.latest, -1)
	}
	if len(networks) == 0 {
		return Report{}, nil
	}
	observed, err := Observe(l.Namespace, networks)
	if err != nil {
		return Report{Networks: unread(networks, err)}, err
	}
	return Report{Networks: Check(networks, observed, false)}, nil
}
