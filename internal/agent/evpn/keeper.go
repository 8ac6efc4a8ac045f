package evpn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	"github.com/vishvananda/netns"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
)

// Switch is the node's Open vSwitch.
type Switch interface {
	// Ports are those that have to do with EVPN, whoever made them.
	Ports(ctx context.Context) ([]vswitch.Port, error)
	// Add creates a port on the integration bridge, or corrects what differs of one that
	// the agent made.
	Add(ctx context.Context, p vswitch.Port) error
	// Delete deletes a port that the agent made. It is no error if it is gone.
	Delete(ctx context.Context, name string) error
}

// Keeper keeps a node's EVPN devices, and the entries of its hosts. Calls of Sync must not
// overlap; Locate may be called at any time.
type Keeper struct {
	// Namespace to work in; the zero value is the process's own.
	Namespace netns.NsHandle
	Log       logr.Logger
	// Node is the node's name.
	Node   string
	Switch Switch

	// mu is held for entries only, so that a host never waits for a pass.
	mu sync.Mutex
	// hosts are those that entries were last written of, spots where they are written.
	hosts map[string][]Host
	spots map[string]spot
	// located counts the calls of Locate: what a pass planned before one may be out of date.
	located int
}

// Report is what a pass did, and how it stands then.
type Report struct {
	// Changes that were made.
	Changes []Change
	// Networks are sorted by name.
	Networks []State
	// Leftover is why something that no network wants is still there, "" where nothing is.
	Leftover string

	// outdated is set if hosts came or went meanwhile, so that another pass is due.
	outdated bool
}

// Sync makes the node agree with the networks and hosts; see Plan. After an error it is
// worth to try again; where the node could not be read nothing was changed. What only
// people can set right is in a network's Problem and no error.
func (k *Keeper) Sync(ctx context.Context, networks []Network, hosts map[string][]Host) (Report, error) {
	return k.sync(ctx, networks, func() map[string][]Host { return hosts }, -1)
}

// sync makes at most a number of changes, and all if that is negative. The hosts are asked
// for after the node was looked at: they are then never older than what Locate wrote.
func (k *Keeper) sync(ctx context.Context, networks []Network, latest func() map[string][]Host, most int) (Report, error) {
	observed, err := k.Observe(ctx, networks)
	if err != nil {
		err = fmt.Errorf("the node's EVPN devices are left as they are: %w", err)
		return Report{Networks: unread(networks, err)}, err
	}
	hosts, located := k.wanted(latest)
	p := newPlan(networks, hosts, observed, k.Node)
	out := outcome{failures: map[string]error{}}
	if len(p.changes) > 0 {
		changes := p.changes
		if most >= 0 {
			changes = changes[:min(most, len(changes))]
		}
		current := func(network string) bool {
			return k.located == located || slices.EqualFunc(k.hosts[network], hosts[network], Host.equal)
		}
		if err := k.carryOut(ctx, &out, changes, observed, current); err != nil {
			return Report{Networks: unread(networks, err)}, err
		}
		if observed, err = k.Observe(ctx, networks); err != nil {
			return Report{Changes: out.made, Networks: unread(networks, err)}, err
		}
		p = newPlan(networks, hosts, observed, k.Node)
	}
	k.settle(p.spots(), hosts, located)
	return out.report(p, observed)
}

// wanted are the hosts, and how often Locate was called before.
func (k *Keeper) wanted(latest func() map[string][]Host) (map[string][]Host, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return latest(), k.located
}

// settle notes what a pass has written, for Locate to go on from.
func (k *Keeper) settle(spots map[string]spot, hosts map[string][]Host, located int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spots = spots
	if k.located == located && hosts != nil {
		k.hosts = hosts
	}
}

// Observe reads the kernel and Open vSwitch.
func (k *Keeper) Observe(ctx context.Context, networks []Network) (*Observed, error) {
	observed, err := Observe(k.Namespace, networks)
	if err != nil {
		return nil, err
	}
	if k.Switch == nil {
		return observed, nil
	}
	if observed.Ports, err = k.Switch.Ports(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the ports of Open vSwitch: %w", err)
	}
	return observed, nil
}

// outcome is what became of changes.
type outcome struct {
	made []Change
	// failures are by the networks, and by the VTEPs with vtepKey.
	failures map[string]error
	leftover error
	all      []error
	outdated bool
}

func vtepKey(name string) string { return "VTEP " + name }

// stopped reports whether something failed that a change needs.
func (o *outcome) stopped(c *Change) bool {
	if c.VTEP != "" && o.failures[vtepKey(c.VTEP)] != nil {
		return true
	}
	return c.Network != "" && !c.Verb.sets() && o.failures[c.Network] != nil
}

func (o *outcome) fail(c *Change, err error) {
	if !errors.Is(err, errNotYet) {
		o.all = append(o.all, err)
	}
	switch {
	case c.Network != "":
		if o.failures[c.Network] == nil || errors.Is(o.failures[c.Network], errNotYet) {
			o.failures[c.Network] = err
		}
	case c.VTEP != "":
		o.failures[vtepKey(c.VTEP)] = err
	default:
		o.leftover = errors.Join(o.leftover, err)
	}
}

// carryOut makes the changes. One that fails stops those after it of the same network, or
// of the same VTEP, but for entries, which each stand for themselves. Entries of networks
// whose hosts are not current any more are left for another pass.
func (k *Keeper) carryOut(ctx context.Context, out *outcome, changes []Change, observed *Observed, current func(network string) bool) error {
	kernel, err := rtnetlink.NewConversation(k.Namespace)
	if err != nil {
		return err
	}
	defer kernel.Close()
	w := newWriter(kernel, k.Switch, observed)
	k.write(ctx, out, changes, func(ctx context.Context, c Change) error {
		if !c.Verb.entry() {
			return w.do(ctx, c)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if !current(c.Network) {
			return errOutdated
		}
		return w.do(ctx, c)
	})
	return nil
}

// errOutdated says that hosts came or went after the change was planned.
var errOutdated = errors.New("hosts came or went meanwhile")

func (k *Keeper) write(ctx context.Context, out *outcome, changes []Change, do func(context.Context, Change) error) {
	for i := range changes {
		c := &changes[i]
		if out.stopped(c) {
			continue
		}
		err := do(ctx, *c)
		if errors.Is(err, errOutdated) {
			out.outdated = true
			continue
		}
		if err != nil {
			out.fail(c, err)
			continue
		}
		log := k.Log
		if c.Verb.entry() {
			log = log.V(1)
		}
		log.Info("Changed the node", "change", c.String(), "network", c.Network, "vtep", c.VTEP)
		out.made = append(out.made, *c)
	}
}

// report is how it stands after the changes. Why something was not made comes before what
// is missing, and counts only where something is.
func (o *outcome) report(p *planner, observed *Observed) (Report, error) {
	report := Report{
		Changes: o.made, outdated: o.outdated,
		Networks: Check(p.networks, observed, observed.byOVNKubernetes() == ""),
	}
	for i := range report.Networks {
		s, planned := &report.Networks[i], p.places[i].State
		if s.Problem != "" && planned.Problem != "" && planned.Reason != ReasonNetworkUnknown {
			s.precede(planned.Reason, planned.Problem)
		}
		for _, key := range []string{s.Network, vtepKey(s.VTEP)} {
			if err := o.failures[key]; err != nil && !errors.Is(err, errNotYet) {
				s.precede(ReasonKernelRefused, err.Error())
			}
		}
	}
	if o.leftover != nil {
		report.Leftover = o.leftover.Error()
	}
	return report, errors.Join(slices.Clone(o.all)...)
}

// precede tells of something before all else.
func (s *State) precede(reason Reason, problem string) {
	after := s.Problem
	s.Problem, s.Reason = "", ""
	s.trouble(reason, "%s", problem)
	if after != "" {
		s.trouble(reason, "%s", after)
	}
}
