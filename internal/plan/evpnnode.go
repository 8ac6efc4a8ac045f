package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// vtepAnnotation is where nodes tell their tunnel endpoints. Package ovnk reads it.
const vtepAnnotation = "k8s.ovn.org/vteps"

// tunnel is an EVPN network on a node, with the node's tunnel endpoint for it.
type tunnel struct {
	*advertisedNetwork
	endpoint netip.Addr
}

// tunnelsOn returns the advertiser's EVPN networks that the node can have, and tells in
// the part what stands in the way of the others.
func (p *nodePlanner) tunnelsOn(a *advertiser, part *model.NodePart) []tunnel {
	var out []tunnel
	if len(a.evpn) == 0 {
		return nil
	}
	told := map[string]bool{}
	for _, n := range a.evpn {
		if !p.active(n) {
			part.Inactive = append(part.Inactive, n.Name)
			continue
		}
		endpoint, f := p.endpoint(n.vtep)
		if !told[n.vtep.Name] {
			part.VTEPs = append(part.VTEPs, vtepOnNode(n.vtep, endpoint, f))
			if f != nil && !slices.Contains(part.Findings, *f) {
				part.Findings = append(part.Findings, *f)
			}
		}
		told[n.vtep.Name] = true
		if !endpoint.IsValid() {
			continue
		}
		if f := p.vniTaken(n); f != nil {
			part.Findings = append(part.Findings, *f)
			continue
		}
		out = append(out, tunnel{n, endpoint})
	}
	return out
}

// vtepOnNode is what is published of a VTEP. With an address, what endpoint found is
// only good to know.
func vtepOnNode(v *model.VTEP, endpoint netip.Addr, f *model.Finding) model.NodeVTEP {
	out := model.NodeVTEP{Name: v.Name, Address: endpoint}
	if !endpoint.IsValid() && f != nil {
		out.Problem = f.Message
	}
	return out
}

// endpoint is the node's address of a VTEP, invalid where it has none that can be used.
// The finding, if any, says why, or what is good to know of it.
func (p *nodePlanner) endpoint(v *model.VTEP) (netip.Addr, *model.Finding) {
	addresses, given := v.AddressesOn(p.node)
	if p.node.VTEPsProblem != nil && (!given || v.Source != model.FromOperator && len(addresses) == 0) {
		f := p.node.VTEPsProblem.In(model.Scope{Kind: model.ScopeNode})
		return netip.Addr{}, &f
	}
	i := slices.IndexFunc(addresses, netip.Addr.Is4)
	if i < 0 {
		f := finding.VTEPAddressMissing(v.Name, vtepAnnotation)
		if given {
			f = finding.VTEPNotAllocated(v.Name)
		} else if at := slices.IndexFunc(p.node.Allocated[v.Name], netip.Addr.Is4); at >= 0 && v.Allocated {
			f = finding.VTEPAddressNotFound(v.Name, p.node.Allocated[v.Name][at], vtepAnnotation)
		}
		return netip.Addr{}, &f
	}
	address := addresses[i]
	if !slices.ContainsFunc(v.CIDRs, func(cidr netip.Prefix) bool { return cidr.Contains(address) }) {
		f := finding.VTEPAddressOutside(v.Name, address)
		return netip.Addr{}, &f
	}
	// What the operator gave to the node is the node's, whoever else claims it.
	given = given || slices.Contains(p.node.Allocated[v.Name], address)
	for _, d := range p.cluster.Disputes[p.node.Name] {
		if !given && d.Network == "" && d.Subnet.Addr() == address {
			f := finding.VTEPDuplicate(v.Name, address, d.Others)
			return netip.Addr{}, &f
		}
	}
	if slices.Contains(p.node.Addresses, address) {
		f := finding.VTEPIsNodeAddress(v.Name, address)
		return address, &f
	}
	return address, nil
}

// vniTaken tells of a VNI that an older network has on this node through another VTEP:
// to frr-k8s, a VNI is one on the whole node.
func (p *nodePlanner) vniTaken(n *advertisedNetwork) *model.Finding {
	if p.vniOwners == nil {
		p.vniOwners = map[uint32]*advertisedNetwork{}
		for _, other := range p.evpnByAge {
			endpoint, _ := p.endpoint(other.vtep)
			taken := slices.ContainsFunc(other.vnis(), func(vni uint32) bool { return p.vniOwners[vni] != nil })
			if taken || !endpoint.IsValid() {
				continue
			}
			for _, vni := range other.vnis() {
				p.vniOwners[vni] = other
			}
		}
	}
	for _, vni := range n.vnis() {
		if owner := p.vniOwners[vni]; owner != nil && owner.Name != n.Name {
			f := finding.VNISharedOnNode(n.DisplayName(), vni, owner.DisplayName())
			return &f
		}
	}
	return nil
}

// underlaysFor returns the advertiser's underlays that apply to the node.
func (p *nodePlanner) underlaysFor(a *advertiser) []underlay {
	var out []underlay
	for _, u := range a.underlays {
		if u.NodeSelector.Matches(p.node.Labels) {
			out = append(out, u)
		}
	}
	return out
}

// contributeEVPN merges the advertiser's EVPN networks into the node's configurations,
// and reports whether any of them is there now.
func (p *nodePlanner) contributeEVPN(c *contribution, part *model.NodePart) bool {
	if len(c.tunnels) == 0 {
		return false
	}
	if len(c.underlays) == 0 {
		part.Findings = append(part.Findings, finding.EVPNNoUnderlayOnNode())
		return false
	}
	var namespaces []string
	for _, u := range c.underlays {
		if p.carry(c, u, part) && !slices.Contains(namespaces, u.Namespace) {
			namespaces = append(namespaces, u.Namespace)
		}
	}
	for _, t := range c.tunnels {
		planned := model.Tunnel{Network: t.Name, VTEP: t.vtep.Name, MACVRF: t.EVPN.MACVRF}
		for _, namespace := range namespaces {
			if p.addNetwork(c, namespace, t, part) {
				planned.IPVRF = t.EVPN.IPVRF
			}
		}
		if len(namespaces) > 0 && (planned.MACVRF != nil || planned.IPVRF != nil) {
			part.Tunnels = append(part.Tunnels, planned)
		}
	}
	if len(namespaces) > 0 {
		p.noteUnannounced(c, part)
		p.noteDevices(part)
	}
	slices.SortFunc(part.Tunnels, func(a, b model.Tunnel) int { return cmp.Compare(a.Network, b.Network) })
	return len(namespaces) > 0
}

// noteDevices tells what else FRR needs, as far as the node's agent doesn't say that it
// is there.
func (p *nodePlanner) noteDevices(part *model.NodePart) {
	switch report := p.node.EVPN; {
	case !report.Known:
		part.Findings = append(part.Findings, finding.EVPNDevices())
	case report.Reason != "":
		part.Findings = append(part.Findings, finding.EVPNNotReady(report.Reason))
	}
}

// noteUnannounced tells of tunnel endpoints of which no neighbor hears. An address of
// the node's interface is in a subnet that the fabric has.
func (p *nodePlanner) noteUnannounced(c *contribution, part *model.NodePart) {
	known := slices.Clone(p.node.Addresses)
	for _, a := range part.Advertised {
		for _, r := range a.Routes {
			known = append(known, r.Prefix.Addr())
		}
	}
	for _, t := range c.tunnels {
		if !slices.Contains(known, t.endpoint) {
			part.Findings = append(part.Findings, finding.VTEPNotAnnounced(t.vtep.Name, t.endpoint))
			known = append(known, t.endpoint)
		}
	}
}

// carry has the underlay's neighbors carry EVPN and know the way to the node's tunnel
// endpoints, and reports whether one does.
func (p *nodePlanner) carry(c *contribution, u underlay, part *model.NodePart) bool {
	if what, other := p.evpnBeside(u.Namespace, &model.TemplateRouter{EVPN: &p.defaultEVPN(u.Namespace).EVPN, Neighbors: u.router.Neighbors}); other != nil {
		part.Findings = append(part.Findings, finding.EVPNConflict(other.displayName(), "", what, "all EVPN networks of the node are"))
		return false
	}
	if p.routerDisagrees(c, u.template, u.router, part) {
		return false
	}
	config := p.config(u.Namespace)
	router, conflict := config.router(c.Name, u.template, u.router)
	if conflict != nil {
		part.Findings = append(part.Findings, *conflict)
		return false
	}
	routes, wanted := c.endpoints()
	reached := false
	for _, n := range slices.Concat(u.router.neighbors, u.router.reflectors) {
		if slices.Contains(p.node.Addresses, n.address) {
			continue
		}
		var advertise []model.Route
		var receive []model.PrefixMatch
		if n.takesUnicast() && n.takesIPv4 {
			advertise, receive = routes, wanted
		}
		if !p.join(c, config, router, u, n, advertise, receive, part) {
			continue
		}
		reached = true
		if len(advertise) > 0 {
			part.Advertised = addAdvertised(part.Advertised, "", advertise)
		}
	}
	if !reached {
		config.forget(router)
		return false
	}
	p.addRouterExtra(router, u.template, u.router, part)
	config.contributors[c.Name] = true
	router.routes = append(router.routes, routes)
	router.evpn = p.defaultEVPN(u.Namespace).rendered()
	if router.endpoints == nil {
		router.endpoints = map[string]netip.Addr{}
	}
	for _, t := range c.tunnels {
		router.endpoints[t.vtep.Name] = t.endpoint
	}
	return true
}

// join adds an underlay's neighbor to the router, or tells why it can't.
func (p *nodePlanner) join(c *contribution, config *configBuilder, router *routerBuilder, u underlay, n *templateNeighbor, advertise []model.Route, receive []model.PrefixMatch, part *model.NodePart) bool {
	session := *n.Session
	session.AddressFamilies = withEVPN(session.AddressFamilies)
	if external(&session, u.router.ASN) {
		acceptOwnASN(&session, n, finding.AllowAsInNoneWithEVPN, part)
	}
	if p.disagrees(u.template, u.router, n, &session, part) {
		return false
	}
	conflict := config.profileConflict(u.template, n)
	if conflict == nil {
		conflict = router.neighbor(c.Name, u.template, n, session, advertise, receive)
	}
	if conflict != nil {
		part.Findings = append(part.Findings, *conflict)
		return false
	}
	p.addSessionExtra(router, u.template, u.router, n, part)
	if n.bfdProfile != nil {
		config.profiles[n.BFDProfile] = n.bfdProfile
	}
	return true
}

// withEVPN adds the family; none at all means unicast.
func withEVPN(families []string) []string {
	if len(families) == 0 {
		return []string{"evpn", "unicast"}
	}
	out := append(slices.Clone(families), "evpn")
	slices.Sort(out)
	return slices.Compact(out)
}

func external(s *model.Session, asn uint32) bool {
	return s.DynamicASN == "external" || s.DynamicASN == "" && s.ASN != asn
}

// endpoints are the routes to the node's tunnel endpoints, and what to take of those of
// other nodes.
func (c *contribution) endpoints() ([]model.Route, []model.PrefixMatch) {
	var routes []model.Route
	var wanted []model.PrefixMatch
	for _, t := range c.tunnels {
		routes = append(routes, model.Route{Prefix: netip.PrefixFrom(t.endpoint, 32)})
		for _, cidr := range t.vtep.CIDRs {
			wanted = append(wanted, model.PrefixMatch{Prefix: cidr, GE: 32, LE: 32})
		}
	}
	slices.SortFunc(routes, func(a, b model.Route) int { return a.Prefix.Compare(b.Prefix) })
	slices.SortFunc(wanted, compareMatches)
	return onePerPrefix(routes), slices.Compact(wanted)
}

// addNetwork adds what a network has beside the underlay. Its MAC-VRF needs nothing but
// a route target of its own: FRR announces every VNI that the kernel has. It reports
// whether the network's IP-VRF is there now.
func (p *nodePlanner) addNetwork(c *contribution, namespace string, t tunnel, part *model.NodePart) (ipVRF bool) {
	router := p.config(namespace).routers[""]
	if v := t.EVPN.MACVRF; v != nil {
		p.addMACVRF(router, namespace, t, part)
		if v.RouteTarget == "" && router.asn > 0xffff && v.VNI > 0xffff {
			part.Findings = append(part.Findings, finding.RouteTargetShortened(t.DisplayName(), v.VNI, router.asn))
		}
	}
	return t.EVPN.IPVRF != nil && p.addIPVRF(c, router, namespace, t, part)
}

func (p *nodePlanner) addMACVRF(router *routerBuilder, namespace string, t tunnel, part *model.NodePart) {
	vni := t.routerVNI(t.EVPN.MACVRF)
	ours := p.defaultEVPN(namespace)
	ours.L2VNIs = []model.VNI{comparedVNI(&vni)}
	what, other := p.evpnBeside(namespace, &model.TemplateRouter{EVPN: &ours.EVPN})
	if other == nil {
		what, other = p.vniOfOther(namespace, knownVNI{vrf: ""}, vni.Number)
	}
	switch {
	case other != nil:
		part.Findings = append(part.Findings, finding.EVPNConflict(other.displayName(), "", what, "the route target of network "+t.DisplayName()+"'s macVRF is"))
	case len(vni.ImportRTs) > 0:
		if router.l2vnis == nil {
			router.l2vnis = map[uint32]model.RouterVNI{}
		}
		router.l2vnis[vni.Number] = vni
	}
}

// addIPVRF adds a router without neighbors, whose prefixes FRR announces as type 5, and
// reports whether nothing stood in the way.
func (p *nodePlanner) addIPVRF(c *contribution, base *routerBuilder, namespace string, t tunnel, part *model.NodePart) bool {
	if other := p.neighborsIn(namespace, t.VRF); other != nil {
		part.Findings = append(part.Findings, finding.IPVRFHasNeighbors(other.displayName(), t.VRF, t.DisplayName()))
		return false
	}
	vni := t.routerVNI(t.EVPN.IPVRF)
	compared := comparedVNI(&vni)
	what, other := p.evpnBeside(namespace, &model.TemplateRouter{VRF: t.VRF, EVPN: &model.EVPN{L3VNI: &compared}})
	if other == nil {
		what, other = p.vniOfOther(namespace, knownVNI{vrf: t.VRF, layer3: true}, vni.Number)
	}
	if other != nil {
		part.Findings = append(part.Findings, finding.EVPNConflict(other.displayName(), t.VRF, what, "the ipVRF of network "+t.DisplayName()+" is"))
		return false
	}
	routes := p.typeFive(t, part)
	config := p.config(namespace)
	router := config.routers[t.VRF]
	if router == nil {
		asn, id := base.asn, ""
		if _, known := p.templates.router(&p.node.NodeSummary, namespace, t.VRF, nil); known != nil {
			asn, id = known.ASN, known.ID
		}
		router = config.add(t.VRF, asn, id, c.Name)
	}
	// Of VRFs without addresses, FRR's own IDs and by them the route distinguishers were
	// equal on all nodes, so that a router in between kept one of two tenants' routes.
	router.id = cmp.Or(router.id, t.endpoint.String())
	router.evpn = &model.RouterEVPN{L3VNI: &vni}
	if len(vni.ImportRTs) == 0 && router.asn > 0xffff && vni.Number > 0xffff {
		part.Findings = append(part.Findings, finding.RouteTargetShortened(t.DisplayName(), vni.Number, router.asn))
	}
	if len(routes) > 0 {
		router.routes = append(router.routes, routes)
		part.Advertised = append(part.Advertised, model.AdvertisedRoutes{VRF: t.VRF, Routes: routes, VNI: vni.Number})
	}
	return true
}

// typeFive are the network's prefixes that the node may announce: its part of a Layer3
// network, or all of a Layer2 network.
func (p *nodePlanner) typeFive(t tunnel, part *model.NodePart) []model.Route {
	var out []model.Route
	p.eachPrefix(t.advertisedNetwork, t.VRF, part, func(prefix netip.Prefix) { out = append(out, model.Route{Prefix: prefix}) })
	slices.SortFunc(out, func(a, b model.Route) int { return a.Prefix.Compare(b.Prefix) })
	return onePerPrefix(out)
}
