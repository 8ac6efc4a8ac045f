package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// templateClash is a pair of FRRConfigurations that frr-k8s does not merge on
// nodes that both select. It concerns everybody there, whether or not what they
// disagree about has anything to do with what is advertised.
type templateClash struct {
	a, b *template
	// neighbor is what they disagree about, "" for a router or a BFD profile.
	neighbor string
	model.Finding
}

// findClashes compares templates that share a neighbor, a router or a BFD profile.
func findClashes(index *templateIndex) []templateClash {
	var out []templateClash
	found := func(a, b *template, neighbor, reason, format string, args ...any) {
		out = append(out, templateClash{a, b, neighbor, model.Finding{
			Outcome: model.Invalid, Reason: reason, Scope: model.Scope{Kind: model.ScopeTemplate, Name: b.displayName()},
			Message: fmt.Sprintf(format, args...) + fmt.Sprintf(" in FRRConfiguration %s than in %s: frr-k8s refuses the node's whole configuration for it, so make the two agree",
				b.displayName(), a.displayName()),
		}})
	}
	for key, sessions := range index.sessions {
		pairs(sessions, func(s knownSession) *template { return s.template }, func(a, b knownSession) {
			if a.session.ID() != b.session.ID() {
				return
			}
			first := &neighborBuilder{Session: *a.session, profile: a.template.profiles[a.session.BFDProfile]}
			if field := first.conflict(*b.session, b.template.profiles[b.session.BFDProfile]); field != "" {
				found(a.template, b.template, a.session.ID(), "NeighborConflict", "neighbor %s in VRF %q has another %s", a.session.ID(), cmp.Or(key.vrf, model.DefaultVRF), field)
			}
		})
	}
	for vrf, routers := range index.routersByVRF {
		pairs(routers, func(r knownSession) *template { return r.template }, func(a, b knownSession) {
			switch {
			case a.template.Namespace != b.template.Namespace:
			case a.router.ASN != b.router.ASN:
				found(a.template, b.template, "", "RouterConflict", "the router in VRF %q has another ASN, %d and not %d,", cmp.Or(vrf, model.DefaultVRF), b.router.ASN, a.router.ASN)
			case a.router.ID != "" && b.router.ID != "" && a.router.ID != b.router.ID:
				found(a.template, b.template, "", "RouterConflict", "the router in VRF %q has another ID, %s and not %s,", cmp.Or(vrf, model.DefaultVRF), b.router.ID, a.router.ID)
			}
		})
	}
	evpnClashes(index, found)
	for name, templates := range index.profiled {
		pairs(templates, func(t *template) *template { return t }, func(a, b *template) {
			if a.Namespace == b.Namespace && !equalProfiles(a.profiles[name], b.profiles[name]) {
				found(a, b, "", "BFDProfileConflict", "BFD profile %q has other values", name)
			}
		})
	}
	slices.SortFunc(out, func(x, y templateClash) int {
		return cmp.Or(compareTemplates(x.b, y.b), compareTemplates(x.a, y.a), compareFindings(x.Finding, y.Finding))
	})
	return out
}

// pairs calls do with every two of the list, in its order, that may meet on a
// node. MetalLB pins one object to each node: those of two nodes never do, and
// there are as many as nodes.
func pairs[item any](list []item, of func(item) *template, do func(a, b item)) {
	var loose []item
	pinned := map[string][]item{}
	for _, next := range list {
		others := loose
		hostname, isPinned := pinnedTo(of(next).NodeSelector)
		if isPinned {
			others = slices.Concat(loose, pinned[hostname])
		} else {
			for _, same := range pinned {
				others = slices.Concat(others, same)
			}
		}
		for _, other := range others {
			// managedConflict looks at the operator's own, which is not stored.
			if of(other) != of(next) && !of(other).managed() && !of(next).managed() {
				do(other, next)
			}
		}
		if isPinned {
			pinned[hostname] = append(pinned[hostname], next)
		} else {
			loose = append(loose, next)
		}
	}
}

// noteClashes tells of clashes on the node that no finding of the part is about.
func (p *nodePlanner) noteClashes(templates []*matchedTemplate, part *model.NodePart) {
	p.evpnWithoutNeighbor(templates, part)
	for i := range p.templates.clashes {
		clash := &p.templates.clashes[i]
		if !clash.a.NodeSelector.Matches(p.node.Labels) || !clash.b.NodeSelector.Matches(p.node.Labels) ||
			!slices.ContainsFunc(templates, func(m *matchedTemplate) bool { return m.Namespace == clash.a.Namespace }) {
			continue
		}
		if !slices.ContainsFunc(part.Findings, func(f model.Finding) bool {
			return f.Reason == clash.Reason && (f.Scope.Kind != model.ScopeNeighbor || clash.neighbor == "" ||
				f.Scope.Name == clash.a.displayName()+" "+clash.neighbor || f.Scope.Name == clash.b.displayName()+" "+clash.neighbor)
		}) {
			part.Findings = append(part.Findings, clash.Finding)
		}
	}
}
