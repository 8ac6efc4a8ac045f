package plan

import (
	"maps"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// frr-k8s merges all FRRConfigurations that select a node, whoever wrote them, and
// drops the node's whole configuration if two of them disagree. The functions below
// find disagreements between others' objects, such as MetalLB's, and what would be
// generated; configBuilder finds those between two advertisers' templates.

// sessionKey is what identifies a neighbor for frr-k8s, except the spelling of its
// address: FRR takes all spellings for the same.
type sessionKey struct{ namespace, vrf, neighbor string }

// knownSession is a router of some template, and a neighbor of it.
type knownSession struct {
	template *template
	router   *model.TemplateRouter
	session  *model.Session
}

// indexSessions returns the neighbors that more than one template has.
func indexSessions(all []*template) map[sessionKey][]knownSession {
	out := map[sessionKey][]knownSession{}
	for _, t := range all {
		for _, r := range t.routers {
			for i := range r.Neighbors {
				s := &r.Neighbors[i]
				key := sessionKey{t.Namespace, r.VRF, canonicalID(s)}
				out[key] = append(out[key], knownSession{t, &r.TemplateRouter, s})
			}
		}
	}
	for key, sessions := range out {
		if len(sessions) < 2 {
			delete(out, key)
		}
	}
	return out
}

// indexRouters returns the routers of all templates by VRF.
func indexRouters(all []*template) map[string][]knownSession {
	out := map[string][]knownSession{}
	for _, t := range all {
		for _, r := range t.routers {
			out[r.VRF] = append(out[r.VRF], knownSession{template: t, router: &r.TemplateRouter})
		}
	}
	return out
}

// clash is a finding about two objects that frr-k8s would not merge. The older one
// wins, so that a new object never withdraws what is advertised; frr-k8s keeps what it
// has while the two disagree.
type clash struct {
	model.Finding
	// goesOn is set where the template is the older one.
	goesOn bool
}

// note notes the clash and reports whether the template has to stop for it. frr-k8s
// then takes nothing new for the node, and keeps what it has, so that what was last
// applied stays: deleting it would leave a gap when the two agree again.
func (p *nodePlanner) note(x clash, part *model.NodePart) (stop bool) {
	if !x.goesOn {
		// It is not over: what is applied stays, and Accepted with it.
		x.Outcome = model.Pending
	}
	part.Findings = append(part.Findings, x.Finding)
	p.frozen = p.frozen || !x.goesOn
	return !x.goesOn
}

// disagrees looks for another object on the node that frr-k8s would not merge with
// the neighbor as it would be generated, and reports whether to leave the neighbor
// out for it.
func (p *nodePlanner) disagrees(t *template, r *templateRouter, n *templateNeighbor, session *model.Session, part *model.NodePart) bool {
	generated := &neighborBuilder{Session: *session, profile: n.bfdProfile}
	for _, other := range p.templates.sessions[sessionKey{t.Namespace, r.VRF, n.canonical}] {
		if other.template == t || other.template.managed() || p.selected[other.template] || !other.template.NodeSelector.Matches(p.node.Labels) {
			continue
		}
		if other.session.ID() != session.ID() {
			// Two neighbors for frr-k8s, and one for FRR.
			continue
		}
		field := generated.conflict(*other.session, other.template.profiles[other.session.BFDProfile])
		if field == "" {
			continue
		}
		found := clash{finding.NeighborConflict(t.neighborName(n), r.VRF, field, other.template.displayName()), compareTemplates(t, other.template) < 0}
		if p.note(found, part) {
			return true
		}
	}
	return p.profileDisagrees(t, n, part)
}

// profileDisagrees is for BFD profiles, whose names count on the whole node.
func (p *nodePlanner) profileDisagrees(t *template, n *templateNeighbor, part *model.NodePart) bool {
	if n.bfdProfile == nil {
		return false
	}
	for _, other := range p.templates.profiled[n.BFDProfile] {
		if other == t || p.selected[other] || other.Namespace != t.Namespace || !other.NodeSelector.Matches(p.node.Labels) || equalProfiles(other.profiles[n.BFDProfile], n.bfdProfile) {
			continue
		}
		found := clash{finding.BFDProfileConflict(t.neighborName(n), n.BFDProfile, other.displayName()), compareTemplates(t, other) < 0}
		if p.note(found, part) {
			return true
		}
	}
	return false
}

// routerDisagrees looks for another object on the node whose router in the same
// VRF frr-k8s would not merge with the template's, and reports whether to leave
// the router out for it. managedConflict does that for the operator's own.
func (p *nodePlanner) routerDisagrees(c *contribution, t *template, r *templateRouter, part *model.NodePart) bool {
	other, known := p.templates.router(&p.node.NodeSummary, t.Namespace, r.VRF, t)
	if known == nil || c.Managed || p.selected[other] {
		return false
	}
	var setting finding.RouterSetting
	switch {
	case known.ASN != r.ASN:
		setting = finding.ASNs(r.ASN, known.ASN)
	case known.ID != "" && r.ID != "" && known.ID != r.ID:
		setting = finding.RouterIDs(r.ID, known.ID)
	default:
		return false
	}
	return p.note(clash{finding.RouterConflict(c.Name, r.VRF, t.displayName(), other.displayName(), setting), compareTemplates(t, other) < 0}, part)
}

// refusedBeside finds other objects on the node that frr-k8s refuses by
// themselves, and with them all else of the node.
func (p *nodePlanner) refusedBeside(templates []*matchedTemplate, part *model.NodePart) {
	for _, t := range p.templates.faulty {
		if !t.NodeSelector.Matches(p.node.Labels) || !slices.ContainsFunc(templates, func(m *matchedTemplate) bool { return m.Namespace == t.Namespace }) ||
			slices.ContainsFunc(templates, func(m *matchedTemplate) bool { return m.template == t }) {
			continue
		}
		for _, r := range t.routers {
			part.Findings = append(part.Findings, slices.DeleteFunc(slices.Clone(r.findings), func(f model.Finding) bool { return !finding.NeighborRefused(f) })...)
		}
	}
	for _, t := range p.templates.refused {
		if !t.NodeSelector.Matches(p.node.Labels) || !slices.ContainsFunc(templates, func(m *matchedTemplate) bool { return m.Namespace == t.Namespace }) {
			continue
		}
		part.Findings = append(part.Findings, t.Problem.In(t.scope()))
	}
}

// canonicalID is the neighbor's address as FRR knows it, or its interface.
func canonicalID(s *model.Session) string {
	if address, ok := parseAddress(s.Address); ok {
		return address.String()
	}
	return s.ID()
}

// uniteSpellings gives neighbors whose addresses are spelt in several ways all
// that any of them gets. frr-k8s makes several neighbors of them with a filter
// each, FRR knows one, and the last filter wins.
func (r *routerBuilder) uniteSpellings() {
	if len(r.neighbors) < 2 {
		return
	}
	first := map[string]*neighborBuilder{}
	united := map[*neighborBuilder]*neighborBuilder{}
	for _, spelling := range slices.Sorted(maps.Keys(r.neighbors)) {
		n := r.neighbors[spelling]
		id := canonicalID(&n.Session)
		if first[id] == nil {
			first[id] = &neighborBuilder{}
		}
		united[n] = first[id]
		first[id].advertise = append(first[id].advertise, n.advertise...)
		first[id].receive = append(first[id].receive, n.receive...)
		for _, e := range n.extras {
			first[id].extras.add(e.template, e.settings, func(_, _ *template, _ []string) {})
		}
	}
	if len(first) == len(r.neighbors) {
		return
	}
	for n, all := range united {
		n.advertise, n.receive, n.extras = all.advertise, slices.Clone(all.receive), all.extras
	}
}
