package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
)

// mainTable is the routing table of the default VRF.
const mainTable = 254

// Network is a network that the agent imports routes for.
type Network struct {
	// Name is OVN's: "default" or "cluster_udn_<cudn>".
	Name string
	// Layer2 networks are looked for in OVN, because they may not be on the node.
	Layer2 bool
	// VRF is the kernel VRF device, "" for the main table.
	VRF string
	// Table is read from the VRF device where it is 0.
	Table uint32
	// Protected subnets by reason.
	Protected []routediff.Protected
	// Gateways are the links that the gateway router leaves the node by; empty
	// where they are not known yet. GatewaySource says who named them.
	Gateways      []string
	GatewaySource string
	// ID is the cluster's number of the network, 0 where it is not known.
	ID int
	// Subnets are the network's pod subnets, Advertised is set where they are
	// advertised over BGP, OtherVRF where that is over another VRF than the
	// network's own, and OwnVRFOnly where they are meant for that one alone.
	Subnets []netip.Prefix
	// NodeAddresses are this node's, which no network may take the traffic of.
	NodeAddresses []netip.Addr
	Advertised    bool
	OtherVRF      bool
	OwnVRFOnly    bool
	// EVPN is nil for networks without, or without it on this node.
	EVPN *EVPN
	// Problem is why the network can't be worked on; what it has stays.
	Problem string
}

// Settings are what the flags say about importing.
type Settings struct {
	MaxRoutes     int
	AllowWithin   bool
	AllowCovering bool
	AnyLink       bool
	// IPv4ViaIPv6 overrides what OVN's version says, where set.
	IPv4ViaIPv6 *bool
}

// Options are what an Agent needs.
type Options struct {
	Settings Settings
	Kernel   kernel.Options
	OVN      ovnnb.Options
	Log      logr.Logger
	Registry prometheus.Registerer
	// ManageSNAT watches and changes the gateway routers' NAT rows.
	ManageSNAT bool
	// Changed is called when a state may have changed; it must return at once.
	Changed func()
	// ReadOnly agents look at everything and write nothing.
	ReadOnly bool
	// AbsentAfter is how long a Layer2 network's router has to be missing for the
	// network to be absent; 10 s if 0.
	AbsentAfter time.Duration
	// LeftAfter is how long rows of OVN-Kubernetes' route import have to differ from
	// the kernel to be left ones; a minute if 0.
	LeftAfter time.Duration
}

// Agent imports routes for all networks of a node.
type Agent struct {
	options Options
	mirror  *kernel.Mirror
	ovn     *ovnnb.Client
	figures *Metrics

	mu sync.Mutex
	// networks are those wanted; nil until Apply was called.
	networks map[string]Network
	// complete is set where networks are all there are.
	complete bool
	syncers  map[string]*running
	layer2   layer2
	ctx      context.Context
	wake     chan struct{}
	// readOnly agents write nothing.
	readOnly bool
	// arranged is set once every network that is on the node has its syncer,
	// and nothing is left of others.
	arranged bool
}

// running is a syncer with what has to be ended with it.
type running struct {
	*syncer
	cancel context.CancelFunc
	done   chan struct{}
	// aimed is the syncer's last target.
	aimed aimed
}

// aimed shows whether a target changed.
type aimed struct {
	table   uint32
	vrf     string
	links   string
	network Network
}

// New returns an Agent that does nothing until Run.
func New(options Options) *Agent {
	if options.AbsentAfter <= 0 {
		options.AbsentAfter = absentAfter
	}
	if options.LeftAfter <= 0 {
		options.LeftAfter = leftAfter
	}
	a := &Agent{options: options, syncers: map[string]*running{}, wake: make(chan struct{}, 1), readOnly: options.ReadOnly}
	options.Kernel.LinksChanged = a.poke
	a.mirror = kernel.NewMirror(options.Kernel)
	a.figures = NewMetrics(options.Registry, a.mirror)
	options.OVN.Connections = func(cause error) {
		a.figures.connection(cause)
		a.poke()
	}
	options.OVN.NAT, options.OVN.Strayed, options.OVN.Looked = options.ManageSNAT, a.poke, a.poke
	a.ovn = ovnnb.New(options.OVN)
	return a
}

func (a *Agent) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Apply sets the networks to import routes for. Unless they are complete,
// those that it does not name keep what they have.
func (a *Agent) Apply(networks []Network, complete bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.complete = complete
	a.networks = make(map[string]Network, len(networks))
	for _, n := range networks {
		a.networks[n.Name] = n
	}
	a.poke()
}

// Run imports until ctx ends. What was written stays.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	part := func(run func(context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	part(a.mirror.Run)
	part(a.ovn.Run)
	a.mu.Lock()
	a.ctx = ctx
	a.mu.Unlock()
	a.manage(ctx)
	a.stopAll()
	parts.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// manage starts, aims and stops syncers until ctx ends.
func (a *Agent) manage(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-again.C:
		}
		var wait time.Duration
		if !a.arrange(ctx) {
			wait = time.Second
		}
		if wait = sooner(wait, a.lookForLayer2()); wait > 0 {
			again.Reset(wait)
		}
	}
}

// arrange brings the syncers in line with the wanted networks; settled is
// false where it has to be tried again.
func (a *Agent) arrange(ctx context.Context) (settled bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.networks == nil {
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(a.syncers)) {
		if _, wanted := a.networks[name]; !wanted && a.complete {
			a.stop(name)
		}
	}
	settled = a.ovn.Connected()
	for _, name := range slices.Sorted(maps.Keys(a.networks)) {
		n := a.networks[name]
		// Most networks of a large cluster are not on this node: they have no
		// VRF, and nothing of theirs is left to remove.
		table, known := a.table(n)
		links, listed := a.gateways(n)
		settled = settled && known && listed
		if a.syncers[name] == nil && n.Problem == "" && (!known || table == 0) && !a.ovn.Has(name) {
			continue
		}
		a.start(name)
		a.syncers[name].trouble(n.Problem)
		// A gateway that isn't listed yet must not look like one that is not there.
		if n.Problem == "" && known && listed {
			a.aim(a.syncers[name], n, table, links)
		}
	}
	settled = a.prune(ctx) && settled
	a.arranged = a.arranged || settled
	return settled
}

func (a *Agent) start(name string) {
	if a.syncers[name] != nil {
		return
	}
	s := newSyncer(name, a.options.Log, a.figures, a.via)
	s.changed, s.readOnly, s.left.after = a.options.Changed, a.readOnly, a.options.LeftAfter
	s.rows = a.ovn.Watch(name, s.poke)
	ctx, cancel := context.WithCancel(a.ctx)
	r := &running{syncer: s, cancel: cancel, done: make(chan struct{})}
	a.syncers[name] = r
	go func() {
		defer close(r.done)
		s.run(ctx)
	}()
}

func (a *Agent) stop(name string) {
	r := a.syncers[name]
	r.cancel()
	<-r.done
	r.rows.Close()
	if r.wanted.table != nil {
		r.wanted.table.Close()
	}
	a.figures.forget(name)
	delete(a.syncers, name)
}

func (a *Agent) stopAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.syncers {
		r := a.syncers[name]
		r.cancel()
		<-r.done
	}
}

// aim gives a syncer its table and rules, if they changed.
func (a *Agent) aim(r *running, n Network, table uint32, links []int32) {
	next := aimed{table: table, vrf: n.VRF, network: n}
	missing := ""
	if len(links) == 0 && len(n.Gateways) > 0 {
		missing = fmt.Sprintf("the link %s, which %s names as the gateway's, is not on this node", strings.Join(n.Gateways, ", "), cmp.Or(n.GatewaySource, "the configuration"))
	}
	next.links = fmt.Sprint(links)
	if r.wanted.version > 0 && r.aimed.equal(next) {
		return
	}
	t := target{vrf: n.VRF, noGateway: missing, limit: a.options.Settings.MaxRoutes, rules: routediff.Rules{
		Protected: n.Protected, AllowWithin: a.options.Settings.AllowWithin, AllowCovering: a.options.Settings.AllowCovering,
		AnyLink: a.options.Settings.AnyLink, Links: links,
	}, snat: snatWanted{managed: a.options.ManageSNAT, limit: n.Advertised, subnets: n.Subnets}}
	old := r.wanted.table
	switch {
	case old != nil && old.ID() == table:
		t.table, old = old, nil
	case table != 0:
		// What is skipped for other reasons must not keep out what belongs there.
		t.table = a.mirror.WatchUpTo(table, 2*t.limit, r.rows, r.poke)
	}
	r.syncer.aim(t)
	r.aimed = next
	if old != nil {
		old.Close()
	}
}

func (x aimed) equal(y aimed) bool {
	return x.network.Advertised == y.network.Advertised && slices.Equal(x.network.Subnets, y.network.Subnets) &&
		x.table == y.table && x.vrf == y.vrf && x.links == y.links &&
		x.network.GatewaySource == y.network.GatewaySource && slices.Equal(x.network.Gateways, y.network.Gateways) &&
		slices.EqualFunc(x.network.Protected, y.network.Protected, routediff.Protected.Equal)
}

func (a *Agent) via() bool {
	if set := a.options.Settings.IPv4ViaIPv6; set != nil {
		return *set
	}
	return a.ovn.IPv4ViaIPv6()
}

// prune removes our rows of networks that are not wanted any more.
func (a *Agent) prune(ctx context.Context) (settled bool) {
	if a.readOnly || !a.complete {
		return true
	}
	if !a.ovn.Connected() {
		return false
	}
	wanted := slices.Collect(maps.Keys(a.networks))
	for more := true; more; {
		var err error
		if more, err = a.ovn.Prune(ctx, wanted, rowsPerTransaction); err != nil {
			a.options.Log.Info("Could not remove the routes of networks that are gone; trying again", "cause", err.Error())
			return false
		}
	}
	return true
}

// States returns what became of each network, by name.
func (a *Agent) States() []NetworkState {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]NetworkState, 0, len(a.syncers))
	for _, name := range slices.Sorted(maps.Keys(a.syncers)) {
		out = append(out, a.syncers[name].snapshot())
	}
	return out
}

// Connected reports whether there is a session with the database.
func (a *Agent) Connected() bool { return a.ovn.Connected() }

// Health is nil while the session with the OVN Northbound database lasts.
func (a *Agent) Health() error { return a.ovn.Health() }
