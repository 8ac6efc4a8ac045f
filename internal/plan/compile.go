package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Compiled is what a Cluster means for every node. It is immutable and safe
// for concurrent use.
type Compiled struct {
	cluster model.Cluster
	// advertisers are all RouteAdvertisements objects, in order of precedence.
	advertisers []*advertiser
	byName      map[string]*advertiser
	templates   *templateIndex
	sources     []source
	// selected are the templates that advertisers use. What two of them disagree
	// about is found when both have contributed; see configBuilder.
	selected map[*template]bool
	// sharedHostnames holds hostname labels that several nodes carry.
	sharedHostnames map[string][]string
	// guarded is what no prefix may cover.
	guarded *guard
	// policies are all RoutePolicy objects by name.
	policies map[string]*model.RoutePolicy
	// drains are the nodes that drain.
	drains map[string]model.NodeDrain
	// evpnByAge are the EVPN networks of all objects; see the function of that name.
	evpnByAge []*advertisedNetwork
	// common is what a network is to every node, by its name.
	common map[string]model.NodeNetwork
}

// advertiser is a RouteAdvertisements object with what it selects.
type advertiser struct {
	model.RouteAdvertisement
	// sources are those that it asks for.
	sources []source
	// idle is set where there is nothing to plan: the object is invalid or selects
	// nothing usable.
	idle bool
	// aside is set if another controller handles the object. It is compiled anyway:
	// what was applied for it stays until that controller covers it.
	aside bool
	// takenFrom is the evidence of another controller that --take-over overrides.
	takenFrom string
	// leftFor is why even --take-over leaves it to that controller.
	leftFor string
	// beside is set if --take-over plans it while that controller goes on.
	beside   bool
	findings []model.Finding
	// networks that it advertises, sorted by VRF.
	networks []*advertisedNetwork
	byName   map[string]*advertisedNetwork
	// evpn are those with transport EVPN, sorted by VRF, and underlays the routers
	// whose neighbors carry them; networks has none of them.
	evpn      []*advertisedNetwork
	underlays []underlay
	// names are those of networks and evpn, sorted.
	names []string
	// templates that it selects and that have a router for it.
	templates []*matchedTemplate
	// rules are those of its policies, in order of precedence.
	rules []*policyRule
	// shared are the networks, by index, that nodes advertise which don't drain, and that
	// are whole on each of them. It is nil unless a node may withdraw such.
	shared []bool
}

// advertisedNetwork is a network as one advertiser uses it.
type advertisedNetwork struct {
	*model.Network
	// index is its place among the advertiser's.
	index int
	// vrf is the VRF's name as frr-k8s' imports write it.
	vrf string
	// refusedBy are sources that have no routes of it.
	refusedBy []source
	// vtep is set for those with transport EVPN.
	vtep *model.VTEP
}

// Compile resolves what concerns all nodes. The cluster must not be changed
// afterwards.
func Compile(c *model.Cluster) *Compiled {
	out := &Compiled{
		cluster:  *c,
		byName:   make(map[string]*advertiser, len(c.RouteAdvertisements)),
		sources:  newSources(),
		policies: map[string]*model.RoutePolicy{},
	}
	out.cluster.Policies = slices.SortedFunc(slices.Values(c.Policies), comparePolicies)
	out.cluster.Drains = slices.SortedFunc(slices.Values(c.Drains), model.CompareDrainPolicies)
	out.cluster.Networks = slices.SortedFunc(slices.Values(c.Networks), compareNetworks)
	out.cluster.RouteAdvertisements = slices.SortedFunc(slices.Values(c.RouteAdvertisements), compareRouteAdvertisements)
	out.templates = indexTemplates(c.Templates)
	out.sharedHostnames = sharedHostnames(c.Hosts)
	out.guarded = newGuard(c)

	for i := range out.cluster.RouteAdvertisements {
		a := &advertiser{RouteAdvertisement: out.cluster.RouteAdvertisements[i]}
		out.advertisers = append(out.advertisers, a)
		out.byName[a.Name] = a
		a.ask(out.sources)
		a.checkSpec(c.Settings)
	}
	vteps := vtepsByName(c.VTEPs)
	for _, a := range out.advertisers {
		a.selectNetworks(out.cluster.Networks, vteps)
		a.leaveToController(out.cluster.Networks)
	}
	holdBackSharedVRFs(out.advertisers)
	holdBackSharedVNIs(out.advertisers)
	for _, a := range out.advertisers {
		a.selectTemplates(out.templates)
	}
	// Only then, because a network that reaches no neighbor claims no addresses.
	for _, s := range out.sources {
		s.gather(out)
	}
	for _, a := range out.advertisers {
		a.idle = a.idle || (len(a.networks) == 0 || len(a.templates) == 0) && len(a.evpn) == 0
	}
	out.selected = map[*template]bool{}
	for _, a := range out.advertisers {
		for _, t := range a.templates {
			out.selected[t.template] = out.selected[t.template] || !a.idle
		}
		for _, u := range a.underlays {
			out.selected[u.template] = out.selected[u.template] || !a.idle
		}
	}
	out.evpnByAge = evpnByAge(out.advertisers)
	out.common = commonOf(out.cluster.Networks, out.advertisers)
	shared := sharedRouterIDs(out.templates, c.Hosts)
	for _, a := range out.advertisers {
		a.names = slices.Sorted(maps.Keys(a.byName))
		for i, n := range a.networks {
			n.index = i
		}
		a.noteSharedRouterIDs(shared, c.Hosts)
		slices.SortFunc(a.findings, model.Finding.Compare)
		a.findings = slices.Compact(a.findings)
	}
	out.attachPolicies()
	out.drainNodes()
	return out
}

// RouteAdvertisements returns the names of all objects, sorted.
func (c *Compiled) RouteAdvertisements() []string {
	names := make([]string, 0, len(c.advertisers))
	for _, a := range c.advertisers {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

// Cluster is what was compiled. It must not be changed.
func (c *Compiled) Cluster() *model.Cluster { return &c.cluster }

// compareRouteAdvertisements orders by precedence: of two objects that
// exclude each other, the older one wins.
func compareRouteAdvertisements(a, b model.RouteAdvertisement) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}

// compareNetworks orders by precedence; the default network was always there.
func compareNetworks(a, b model.Network) int {
	if a.IsDefault() != b.IsDefault() {
		if a.IsDefault() {
			return -1
		}
		return 1
	}
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
}

// checkSpec looks at the object alone.
func (a *advertiser) checkSpec(settings model.Settings) {
	if settings.TakeOver {
		a.takenFrom, a.ForeignController = a.ForeignController, ""
	}
	a.aside = a.ForeignController != ""
	problem := a.Problem
	for i := 0; problem == nil && i < len(a.sources); i++ {
		problem = a.sources[i].check(a)
	}
	switch {
	case problem != nil:
		a.reject(problem)
	case len(a.sources) == 0:
		a.reject(finding.NothingAdvertised())
	default:
		a.checkTargetVRF()
	}
	if a.NameTaken {
		a.find(finding.NameTaken(a.Name))
	}
}

// reject makes the whole object invalid.
func (a *advertiser) reject(problem *model.Problem) {
	a.idle = true
	a.find(problem.In(model.Scope{Kind: model.ScopeRouteAdvertisements, Name: a.Name}))
}

// find adds a finding that concerns the object on all nodes.
func (a *advertiser) find(f model.Finding) { a.findings = append(a.findings, f) }

// sharedHostnames finds values of the hostname label that do not identify a
// node: an object generated for one of its nodes would apply to all of them.
func sharedHostnames(hosts []model.NodeSummary) map[string][]string {
	nodes := make(map[string][]string, len(hosts))
	for _, h := range hosts {
		if h.Hostname != "" {
			nodes[h.Hostname] = append(nodes[h.Hostname], h.Name)
		}
	}
	for hostname, names := range nodes {
		if len(names) < 2 {
			delete(nodes, hostname)
			continue
		}
		slices.Sort(names)
	}
	return nodes
}
