package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// contribution is what one advertiser has to say on one node.
type contribution struct {
	*advertiser
	// networks that the node has, sorted by VRF.
	networks []*advertisedNetwork
	// routes is sorted by prefix, from has their sources where rules look at these.
	routes []route
	from   []int
	// rules are those for the routes, nil for none.
	rules *nodeRules
	// tunnels are the EVPN networks that the node has, underlays what carries them.
	tunnels   []tunnel
	underlays []underlay
}

// around are the templates that the node's part is made of.
func (c *contribution) around(templates []*matchedTemplate) []*matchedTemplate {
	for _, u := range c.underlays {
		templates = append(templates[:len(templates):len(templates)], &matchedTemplate{template: u.template})
	}
	return templates
}

// contribute merges one advertiser's part into the node's configurations.
func (p *nodePlanner) contribute(c *contribution, templates []*matchedTemplate, part *model.NodePart) {
	around := c.around(templates)
	p.refusedBeside(around, part)
	receive := receivedFromNeighbors(c.networks)
	all := newOffer(c, nil)
	for _, t := range templates {
		for _, r := range t.routers {
			routes, wanted := all, receive
			if r.network != nil {
				// A neighbor in a network's own VRF has no business with other networks.
				routes = newOffer(c, r.network)
				wanted = receivedFromNeighbors([]*advertisedNetwork{r.network})
			}
			if len(routes.all) == 0 {
				continue
			}
			p.originate(c, t, r, routes, wanted, part)
		}
	}
	tunneled := p.contributeEVPN(c, part)
	part.Advertised = uniteAdvertised(part.Advertised)
	p.noteClashes(around, part)
	if len(part.Advertised) == 0 && !tunneled {
		switch {
		case len(part.Findings) > 0:
			outcome.Move(part, model.PartHeldBack)
		case c.rules != nil && c.rules.suppressed != [2]bool{}:
			outcome.Move(part, model.PartIdle)
		case c.Managed && p.alone(templates):
			// In a cluster of one node there is no node to peer with.
			outcome.Move(part, model.PartIdle)
		case c.Managed:
			outcome.Move(part, model.PartHeldBack, finding.NoNodeForFamily(all.families()))
		default:
			outcome.Move(part, model.PartHeldBack, finding.NoNeighborForFamily(all.families()))
		}
		return
	}
	part.PodNetworks = p.podNetworks(c, &all.routeSet, part)
	outcome.Move(part, model.PartPlanned)
	p.noteUnreached(c, part)
}

// alone reports whether all neighbors are the node itself.
func (p *nodePlanner) alone(templates []*matchedTemplate) bool {
	for _, t := range templates {
		for _, r := range t.routers {
			for _, n := range r.neighbors {
				if !slices.Contains(p.node.Addresses, n.address) {
					return false
				}
			}
		}
	}
	return true
}

// noteUnreached reports an IP family that has prefixes but no neighbor.
func (p *nodePlanner) noteUnreached(c *contribution, part *model.NodePart) {
	var have, reached [2]bool
	for _, r := range c.routes {
		have[familyIndex(r.Prefix)] = true
	}
	for _, a := range part.Advertised {
		for _, r := range a.Routes {
			reached[familyIndex(r.Prefix)] = true
		}
	}
	for i, family := range [2]string{"IPv4", "IPv6"} {
		if have[i] && !reached[i] && (c.rules == nil || !c.rules.suppressed[i]) {
			part.Findings = append(part.Findings, finding.FamilyWithoutNeighbor(family))
		}
	}
}

func familyIndex(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 0
	}
	return 1
}

// originate puts the routes into the router of the target VRF, advertises
// them to its neighbors, and lets the VRFs of the networks import each other.
func (p *nodePlanner) originate(c *contribution, t *matchedTemplate, r matchedRouter, routes *offer, wanted []model.PrefixMatch, part *model.NodePart) {
	config := p.config(t.Namespace)
	conflict := p.managedConflict(c, t.template, r)
	if conflict != nil {
		part.Findings = append(part.Findings, *conflict)
		return
	}
	if p.routerDisagrees(c, t.template, r.templateRouter, part) {
		return
	}
	router, conflict := config.router(c.Name, t.template, r.templateRouter)
	if conflict != nil {
		part.Findings = append(part.Findings, *conflict)
		return
	}
	o := &origin{nodePlanner: p, c: c, config: config, template: t, router: router, routes: routes, wanted: wanted, hops: p.nextHops(c.advertiser, r.VRF), part: part}
	reached, suppressed := false, false
	for _, n := range r.neighbors {
		if slices.Contains(p.node.Addresses, n.address) {
			continue
		}
		told, kept := o.tell(r.templateRouter, n)
		reached, suppressed = reached || told, suppressed || kept
	}
	if !reached && !suppressed {
		config.forget(router)
		return
	}
	p.addRouterExtra(router, t.template, r.templateRouter, part)
	if originated := routes.originated(); len(originated) > 0 {
		router.routes = append(router.routes, originated)
	}
	// A node that advertises nothing because of a rule imports and receives all the same.
	if c.TargetVRF != model.TargetVRFAuto {
		p.leak(c, config, router, part)
	}
	if !config.forget(router) {
		config.contributors[c.Name] = true
	}
}

// origin is a router that originates routes, for an advertiser.
type origin struct {
	*nodePlanner
	c        *contribution
	config   *configBuilder
	template *matchedTemplate
	router   *routerBuilder
	routes   *offer
	wanted   []model.PrefixMatch
	hops     []netip.Addr
	part     *model.NodePart
}

// tell has a neighbor get the routes, and reports whether it gets any, or whether rules
// keep all of them from it.
func (o *origin) tell(r *templateRouter, n *templateNeighbor) (told, suppressed bool) {
	advertise, bare := o.routes.to(n)
	receive := receiveForNeighbor(o.wanted, n)
	if len(advertise) == 0 {
		suppressed = len(o.routes.forNeighbor(n)) > 0
		if !suppressed || len(receive) == 0 {
			return false, suppressed
		}
	}
	session, conflict := withNextHops(n, o.hops)
	if len(receive) > 0 {
		acceptOwnASN(&session, n, finding.AllowAsInNone, o.part)
	}
	t := o.template.template
	if conflict == nil && o.disagrees(t, r, n, &session, o.part) {
		return false, suppressed
	}
	if conflict == nil {
		conflict = o.config.profileConflict(t, n)
	}
	if conflict == nil && o.c.rules != nil {
		advertise = o.undisputed(o.c, t, r, n, o.router.neighbors[n.ID()], advertise)
		advertise = o.writable(r, n, &session, advertise)
	}
	if conflict == nil {
		conflict = o.router.neighbor(o.c.Name, t, n, session, advertise, receive)
	}
	if conflict != nil {
		o.part.Findings = append(o.part.Findings, *conflict)
		return false, suppressed
	}
	o.addSessionExtra(o.router, t, r, n, o.part)
	if n.bfdProfile != nil {
		o.config.profiles[n.BFDProfile] = n.bfdProfile
	}
	if len(advertise) == 0 {
		return false, suppressed
	}
	o.part.Advertised = addAdvertised(o.part.Advertised, r.VRF, bare)
	if o.c.rules.marks() {
		o.part.Marked = append(o.part.Marked, model.MarkedRoutes{VRF: r.VRF, Neighbor: n.ID(), Routes: advertise})
	}
	return true, false
}

// writable leaves attributes out that need raw text, if that can't have the neighbor.
func (o *origin) writable(r *templateRouter, n *templateNeighbor, session *model.Session, routes []model.Route) []model.Route {
	if !slices.ContainsFunc(routes, needsRaw) {
		return routes
	}
	fault := model.RawFault(r.VRF, session)
	if fault == "" {
		return routes
	}
	o.part.Findings = append(o.part.Findings, finding.RawNameRefused(o.template.template.neighborName(n), fault))
	return typedRoutes(routes)
}

// managedConflict reports a router of the operator's own that would differ from the
// one that an FRRConfiguration of a user gives the node. frr-k8s would drop both
// because of it. Unlike other templates the operator's is not stored, so nothing
// else has compared the two.
func (p *nodePlanner) managedConflict(c *contribution, t *template, r matchedRouter) *model.Finding {
	if !c.Managed {
		return nil
	}
	other, known := p.templates.router(&p.node.NodeSummary, t.Namespace, r.VRF, t)
	if known == nil || known.ASN == r.ASN {
		return nil
	}
	conflict := finding.ManagedASN(c.Name, r.VRF, other.displayName(), r.ASN, known.ASN)
	return &conflict
}

// leak lets the target VRF and the VRF of each network import each other.
func (p *nodePlanner) leak(c *contribution, config *configBuilder, target *routerBuilder, part *model.NodePart) {
	targetName := cmp.Or(target.vrf, model.DefaultVRF)
	for _, n := range c.networks {
		if n.VRF == target.vrf {
			continue
		}
		target.imports = append(target.imports, n.vrf)
		_, known := p.templates.router(&p.node.NodeSummary, config.namespace, n.VRF, nil)
		router := config.routers[n.VRF]
		if router == nil {
			// The ASN of a VRF that no template configures is ours to choose; that of
			// a VRF that one does configure has to be the same, or frr-k8s refuses.
			asn, id := target.asn, target.id
			if known != nil {
				asn, id = known.ASN, known.ID
			}
			router = config.add(n.VRF, asn, id, c.Name)
		}
		if n.Transport == model.TransportNoOverlay && target.external() {
			if known == nil && router.template == nil {
				router.asn = asnOfNoPath
			} else if router.asn == target.asn {
				part.Findings = append(part.Findings, importsNoOwnASN(n, router.asn))
			}
		}
		router.imports = append(router.imports, targetName)
	}
}

// receivedFromNeighbors lists the pod subnets of NoOverlay networks: with no
// overlay between nodes, they learn each other's parts by BGP.
func receivedFromNeighbors(networks []*advertisedNetwork) []model.PrefixMatch {
	var out []model.PrefixMatch
	for _, n := range networks {
		if n.Transport != model.TransportNoOverlay {
			continue
		}
		for _, s := range n.Subnets {
			out = append(out, model.PrefixMatch{Prefix: s.Prefix, GE: s.HostLength, LE: s.HostLength})
		}
	}
	slices.SortFunc(out, compareMatches)
	return out
}

func compareMatches(a, b model.PrefixMatch) int {
	return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.GE, b.GE), cmp.Compare(a.LE, b.LE))
}
