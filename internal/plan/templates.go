package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// template is a model.Template with what can be said of it once for all.
type template struct {
	*model.Template
	routers  []*templateRouter
	profiles map[string]*model.BFDProfile
}

// displayName is how messages call the template.
func (t *template) displayName() string { return t.Namespace + "/" + t.Name }

func (t *template) scope() model.Scope {
	return model.Scope{Kind: model.ScopeTemplate, Name: t.displayName()}
}

func (t *template) neighborName(n *templateNeighbor) finding.Neighbor {
	return finding.Neighbor{Template: t.displayName(), ID: n.ID()}
}

// managed reports whether the operator made the template, for itself.
func (t *template) managed() bool {
	return t.Name == model.ManagedName && t.Labels[model.LabelManaged] == "true"
}

// templateRouter is a router of a template with its usable neighbors.
type templateRouter struct {
	model.TemplateRouter
	neighbors []*templateNeighbor
	// reflectors are neighbors that carry EVPN and no prefixes.
	reflectors []*templateNeighbor
	findings   []model.Finding
}

// templateNeighbor is a neighbor that prefixes can be advertised to.
type templateNeighbor struct {
	*model.Session
	// canonical is the canonicalID.
	canonical  string
	address    netip.Addr
	takesIPv4  bool
	takesIPv6  bool
	bfdProfile *model.BFDProfile
	// internal is set if it is of the router's own AS.
	internal bool
}

// matchedTemplate is a template with the routers that one advertiser uses.
type matchedTemplate struct {
	*template
	routers []matchedRouter
}

// matchedRouter is a router that originates prefixes; with target VRF auto,
// those of one network.
type matchedRouter struct {
	*templateRouter
	network *advertisedNetwork
}

// templateIndex holds all templates in order of precedence, those that are
// pinned to one hostname by that name: MetalLB writes one object per node.
type templateIndex struct {
	all    []*template
	pinned map[string][]*template
	loose  []*template
	// sessions are neighbors of several templates, profiled the templates with a
	// BFD profile of a name, refused those that frr-k8s refuses by themselves.
	sessions map[sessionKey][]knownSession
	profiled map[string][]*template
	refused  []*template
	// faulty are those with a neighbor that frr-k8s refuses.
	faulty []*template
	// routersByVRF has the routers of all templates, for clashes, the pairs of
	// templates that frr-k8s does not merge.
	routersByVRF map[string][]knownSession
	clashes      []templateClash
	// evpn are templates with EVPN that needs a neighbor, evpnNeighbors the routers
	// that have one.
	evpn          []*template
	evpnNeighbors []knownSession
	// vnis has where templates use each VNI.
	vnis map[uint32][]knownVNI
}

func indexTemplates(templates []model.Template) *templateIndex {
	index := &templateIndex{pinned: map[string][]*template{}, profiled: map[string][]*template{}, vnis: map[uint32][]knownVNI{}}
	for i := range templates {
		index.all = append(index.all, newTemplate(&templates[i]))
	}
	slices.SortFunc(index.all, compareTemplates)
	index.sessions = indexSessions(index.all)
	index.routersByVRF = indexRouters(index.all)
	for _, t := range index.all {
		for n, uses := range t.vnis() {
			index.vnis[n] = append(index.vnis[n], uses...)
		}
		for name := range t.profiles {
			index.profiled[name] = append(index.profiled[name], t)
		}
		if slices.ContainsFunc(t.routers, func(r *templateRouter) bool { return slices.ContainsFunc(r.findings, finding.NeighborRefused) }) {
			index.faulty = append(index.faulty, t)
		}
		if slices.ContainsFunc(t.routers, func(r *templateRouter) bool { return needsEVPNNeighbor(&r.TemplateRouter) }) {
			index.evpn = append(index.evpn, t)
		}
		if finding.IsRefusedByFRRK8s(t.Problem) {
			index.refused = append(index.refused, t)
		}
		if hostname, pinned := pinnedTo(t.NodeSelector); pinned {
			index.pinned[hostname] = append(index.pinned[hostname], t)
		} else {
			index.loose = append(index.loose, t)
		}
	}
	for _, routers := range index.routersByVRF {
		for _, r := range routers {
			if hasEVPNNeighbor(r.router) && len(index.evpn) > 0 {
				index.evpnNeighbors = append(index.evpnNeighbors, r)
			}
		}
	}
	index.clashes = findClashes(index)
	return index
}

func compareTemplates(a, b *template) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func pinnedTo(s model.Selector) (string, bool) {
	for _, r := range s {
		if r.Key == model.LabelHostname && r.Operator == model.SelectorIn && len(r.Values) == 1 {
			return r.Values[0], true
		}
	}
	return "", false
}

// router finds the router of a VRF that some template but this one configures
// on the node in this namespace, so that generated routers agree with it.
func (x *templateIndex) router(h *model.NodeSummary, namespace, vrf string, but *template) (*template, *model.TemplateRouter) {
	for _, list := range [2][]*template{x.loose, x.pinned[h.Hostname]} {
		for _, t := range list {
			if t == but || t.Namespace != namespace || t.Problem != nil {
				continue
			}
			for i := range t.routers {
				if t.routers[i].VRF == vrf && t.NodeSelector.Matches(h.Labels) {
					return t, &t.routers[i].TemplateRouter
				}
			}
		}
	}
	return nil, nil
}

func newTemplate(m *model.Template) *template {
	t := &template{Template: m, profiles: make(map[string]*model.BFDProfile, len(m.BFDProfiles))}
	for i := range m.BFDProfiles {
		t.profiles[m.BFDProfiles[i].Name] = &m.BFDProfiles[i]
	}
	for i := range m.Routers {
		r := &templateRouter{TemplateRouter: m.Routers[i]}
		for j := range m.Routers[i].Neighbors {
			neighbor, problem := t.neighbor(&m.Routers[i].Neighbors[j])
			if problem != nil {
				r.findings = append(r.findings, *problem)
			}
			if neighbor != nil {
				neighbor.internal = neighbor.DynamicASN == "internal" || neighbor.DynamicASN == "" && neighbor.ASN == r.ASN
			}
			switch {
			case neighbor == nil:
			case neighbor.takesUnicast():
				r.neighbors = append(r.neighbors, neighbor)
			case slices.Contains(neighbor.AddressFamilies, "evpn"):
				r.reflectors = append(r.reflectors, neighbor)
			}
		}
		t.routers = append(t.routers, r)
	}
	if fault := cmp.Or(t.disagreesWithItself(), t.evpnDisagreesWithItself()); fault != "" && m.Problem == nil {
		refused := *m
		refused.Problem = finding.RefusedByFRRK8s(t.displayName(), fault)
		t.Template = &refused
	}
	return t
}

// disagreesWithItself finds a router or a neighbor that the object has twice and
// that frr-k8s would not merge.
func (t *template) disagreesWithItself() string {
	routers := map[string]*templateRouter{}
	sessions := map[sessionKey]*model.Session{}
	for _, r := range t.routers {
		first := routers[r.VRF]
		switch {
		case first == nil:
			routers[r.VRF] = r
		case first.ASN != r.ASN, first.ID != "" && r.ID != "" && first.ID != r.ID:
			return fmt.Sprintf("VRF %q has two routers, with other ASNs or IDs: make one of them", cmp.Or(r.VRF, model.DefaultVRF))
		}
		for i := range r.Neighbors {
			s := &r.Neighbors[i]
			key := sessionKey{vrf: r.VRF, neighbor: s.ID()}
			known := sessions[key]
			if known == nil {
				sessions[key] = s
				continue
			}
			n := &neighborBuilder{Session: *known, profile: t.profiles[known.BFDProfile]}
			if field := n.conflict(*s, t.profiles[s.BFDProfile]); field != "" {
				return fmt.Sprintf("VRF %q has neighbor %s twice, with another %s: make one of them", cmp.Or(r.VRF, model.DefaultVRF), s.ID(), field)
			}
		}
	}
	return ""
}

// neighbor checks what frr-k8s would refuse or what can't carry prefixes.
func (t *template) neighbor(s *model.Session) (*templateNeighbor, *model.Finding) {
	n := &templateNeighbor{Session: s, takesIPv4: true, takesIPv6: true}
	name := t.neighborName(n)
	unusable := func(f model.Finding) (*templateNeighbor, *model.Finding) { return nil, &f }
	switch {
	case s.Address == "" && s.Interface == "":
		return unusable(finding.NeighborWithoutAddress(name))
	case s.Address != "" && s.Interface != "":
		return unusable(finding.NeighborWithTwoAddresses(name))
	case (s.ASN == 0) == (s.DynamicASN == ""):
		return unusable(finding.NeighborASN(name))
	}
	n.canonical = canonicalID(s)
	if s.BFDProfile != "" {
		if n.bfdProfile = t.profiles[s.BFDProfile]; n.bfdProfile == nil {
			return unusable(finding.BFDProfileMissing(name, s.BFDProfile))
		}
	}
	if s.Address != "" {
		address, ok := parseAddress(s.Address)
		if !ok {
			return unusable(finding.InvalidNeighborAddress(name))
		}
		n.address = address
		n.takesIPv4, n.takesIPv6 = n.address.Is4(), n.address.Is6()
	}
	// Only what frr-k8s accepts may be reported as less severe.
	switch {
	case s.DualStackAddressFamily:
		return unusable(finding.DualStackAddressFamily(name))
	case !n.takesUnicast():
		f := finding.NeighborNotUnicast(name)
		return n, &f
	}
	return n, nil
}

func (n *templateNeighbor) takesUnicast() bool {
	return len(n.AddressFamilies) == 0 || slices.Contains(n.AddressFamilies, "unicast")
}

// parseAddress takes what frr-k8s does, which has no use for a zone.
func parseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	return address.Unmap(), err == nil && address.Zone() == ""
}

// selectTemplates finds the templates with routers for the object.
func (a *advertiser) selectTemplates(index *templateIndex) {
	if a.idle {
		return
	}
	selected := 0
	var apart []*template
	for _, t := range index.all {
		if !a.TemplateSelector.Matches(t.Labels) {
			continue
		}
		selected++
		if t.Problem != nil {
			a.find(t.Problem.In(t.scope()))
			continue
		}
		if t.BeingChanged {
			a.find(finding.TemplateBeingChanged(t.displayName()))
		}
		a.findings = append(a.findings, t.SettingsFindings...)
		a.noteVRFNames(t)
		if !a.matchRouters(t) {
			apart = append(apart, t)
		}
	}
	if selected == 0 {
		a.find(finding.NoTemplateSelected(a.Name, a.explainNoTemplate(index)))
		return
	}
	for _, t := range apart {
		a.explainApart(t)
	}
	a.checkAutoVRFs()
	a.checkUnderlays(index)
}

// matchRouters takes the template's routers of the target VRF, and reports whether
// there is any to advertise by.
func (a *advertiser) matchRouters(t *template) bool {
	matched, underlay := &matchedTemplate{template: t}, a.takeUnderlays(t)
	if underlay && len(a.networks) == 0 {
		return true
	}
	for _, r := range t.routers {
		network, matches := a.matchVRF(r.VRF)
		if !matches {
			continue
		}
		a.findings = append(a.findings, r.findings...)
		if len(r.neighbors) > 0 {
			matched.routers = append(matched.routers, matchedRouter{r, network})
		} else if len(r.Neighbors) > 0 {
			a.find(finding.NoNeighbor(t.displayName(), r.VRF, finding.Alone))
		}
	}
	if len(matched.routers) > 0 {
		a.templates = append(a.templates, matched)
	}
	return len(matched.routers) > 0 || underlay
}

// explainApart reports a selected template that has nothing to advertise with. If
// other templates have, this one may be there for what it imports or receives, and
// blocks nothing, unless it seems to miss the VRF by a typo.
func (a *advertiser) explainApart(t *template) {
	apart := finding.Alone
	if len(a.templates) > 0 {
		apart = finding.BesideOthers
	}
	matches := false
	for _, r := range t.routers {
		if _, ok := a.matchVRF(r.VRF); ok {
			matches = true
			if len(r.Neighbors) == 0 {
				a.find(finding.NoNeighbor(t.displayName(), r.VRF, apart))
			}
		}
	}
	if matches || len(a.all()) == 0 {
		return
	}
	a.find(finding.NoMatchingVRF(t.displayName(), a.TargetVRF, t.vrfs(), a.misspeltVRF(t), apart))
}

// matchVRF reports whether a router of this VRF originates prefixes, and
// which network's; nil for all of them.
func (a *advertiser) matchVRF(vrf string) (*advertisedNetwork, bool) {
	if a.TargetVRF != model.TargetVRFAuto {
		return nil, vrf == a.TargetVRF
	}
	for _, n := range a.networks {
		if n.VRF == vrf {
			return n, true
		}
	}
	return nil, false
}

// checkAutoVRFs finds networks that no template has a router for.
func (a *advertiser) checkAutoVRFs() {
	if a.TargetVRF != model.TargetVRFAuto {
		return
	}
	for _, n := range slices.Clone(a.networks) {
		if slices.ContainsFunc(a.templates, func(t *matchedTemplate) bool {
			return slices.ContainsFunc(t.routers, func(r matchedRouter) bool { return r.network == n })
		}) {
			continue
		}
		a.dropNetwork(n)
		a.find(finding.NoRouterForVRF(n.DisplayName(), n.VRF))
	}
}

func (a *advertiser) explainNoTemplate(index *templateIndex) string {
	candidates := make([]finding.Candidate, 0, len(index.all))
	for _, t := range index.all {
		candidates = append(candidates, finding.Candidate{Name: t.Name, Labels: t.Labels})
	}
	return finding.NoMatch("frrConfigurationSelector", "FRRConfigurations", a.TemplateSelector, candidates)
}
