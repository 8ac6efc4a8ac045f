package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
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
	found := func(a, b *template, neighbor string, f model.Finding) {
		out = append(out, templateClash{a, b, neighbor, f})
	}
	for key, sessions := range index.sessions {
		pairs(sessions, func(s knownSession) *template { return s.template }, func(a, b knownSession) {
			if a.session.ID() != b.session.ID() {
				return
			}
			first := &neighborBuilder{Session: *a.session, profile: a.template.profiles[a.session.BFDProfile]}
			if field := first.conflict(*b.session, b.template.profiles[b.session.BFDProfile]); field != "" {
				found(a.template, b.template, a.session.ID(), clashOf(a.template, b.template).Neighbor(a.session.ID(), key.vrf, field))
			}
		})
	}
	for vrf, routers := range index.routersByVRF {
		pairs(routers, func(r knownSession) *template { return r.template }, func(a, b knownSession) {
			switch {
			case a.template.Namespace != b.template.Namespace:
			case a.router.ASN != b.router.ASN:
				found(a.template, b.template, "", clashOf(a.template, b.template).Router(vrf, finding.ASNs(b.router.ASN, a.router.ASN)))
			case a.router.ID != "" && b.router.ID != "" && a.router.ID != b.router.ID:
				found(a.template, b.template, "", clashOf(a.template, b.template).Router(vrf, finding.RouterIDs(b.router.ID, a.router.ID)))
			}
		})
	}
	evpnClashes(index, found)
	for name, templates := range index.profiled {
		pairs(templates, func(t *template) *template { return t }, func(a, b *template) {
			if a.Namespace == b.Namespace && !equalProfiles(a.profiles[name], b.profiles[name]) {
				found(a, b, "", clashOf(a, b).BFDProfile(name))
			}
		})
	}
	slices.SortFunc(out, func(x, y templateClash) int {
		return cmp.Or(compareTemplates(x.b, y.b), compareTemplates(x.a, y.a), x.Finding.Compare(y.Finding))
	})
	return out
}

func clashOf(first, second *template) finding.Clash {
	return finding.Clash{First: first.displayName(), Second: second.displayName()}
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

// noteClashes reports clashes on the node that no finding of the part covers.
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
				finding.Neighbor{Template: clash.a.displayName(), ID: clash.neighbor}.Is(f) || finding.Neighbor{Template: clash.b.displayName(), ID: clash.neighbor}.Is(f))
		}) {
			part.Findings = append(part.Findings, clash.Finding)
		}
	}
}
