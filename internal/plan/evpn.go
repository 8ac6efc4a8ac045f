package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// frr-k8s (v0.0.26) merges what templates, others' objects and generated ones have of
// EVPN, and refuses the node where they disagree.

// evpnConflict names what frr-k8s would refuse in the EVPN of two routers of one VRF.
// The two may be one and the same.
func evpnConflict(a, b *model.TemplateRouter) string {
	x, y := a.EVPN, b.EVPN
	switch {
	case x != nil && x.L3VNI != nil && len(b.Neighbors) > 0, y != nil && y.L3VNI != nil && len(a.Neighbors) > 0:
		return "neighbors beside an l3vni"
	case x == nil || y == nil:
		return ""
	case x.AdvertiseVNIs != y.AdvertiseVNIs:
		return "advertiseVNIs"
	case x.AdvertiseSVI != y.AdvertiseSVI:
		return "advertiseSVI"
	case x.L3VNI != nil && y.L3VNI != nil && (x.L3VNI.Number != y.L3VNI.Number || !mergeableVNIs(x.L3VNI, y.L3VNI)):
		return "l3vni"
	}
	for i := range x.L2VNIs {
		for j := range y.L2VNIs {
			if x.L2VNIs[i].Number == y.L2VNIs[j].Number && !mergeableVNIs(&x.L2VNIs[i], &y.L2VNIs[j]) {
				return fmt.Sprintf("l2vni %d", x.L2VNIs[i].Number)
			}
		}
	}
	return ""
}

func mergeableVNIs(a, b *model.VNI) bool {
	return equalOrUnset(a.RD, b.RD) && a.ImportsNamed == b.ImportsNamed && a.ExportsNamed == b.ExportsNamed
}

// knownVNI is where a template uses a VNI.
type knownVNI struct {
	template *template
	vrf      string
	layer3   bool
}

// vnis are all of a template.
func (t *template) vnis() map[uint32][]knownVNI {
	out := map[uint32][]knownVNI{}
	for _, r := range t.routers {
		if r.EVPN == nil {
			continue
		}
		for i := range r.EVPN.L2VNIs {
			n := r.EVPN.L2VNIs[i].Number
			out[n] = append(out[n], knownVNI{t, r.VRF, false})
		}
		if r.EVPN.L3VNI != nil {
			n := r.EVPN.L3VNI.Number
			out[n] = append(out[n], knownVNI{t, r.VRF, true})
		}
	}
	return out
}

// evpnDisagreesWithItself is disagreesWithItself for EVPN.
func (t *template) evpnDisagreesWithItself() string {
	for i, a := range t.routers {
		for _, b := range t.routers[i:] {
			if a.VRF != b.VRF {
				continue
			}
			if what := evpnConflict(&a.TemplateRouter, &b.TemplateRouter); what != "" {
				return fmt.Sprintf("the router in VRF %q has %s that frr-k8s does not merge: correct them", cmp.Or(a.VRF, model.DefaultVRF), what)
			}
		}
	}
	for n, uses := range t.vnis() {
		for _, use := range uses[1:] {
			if use.vrf != uses[0].vrf || use.layer3 != uses[0].layer3 {
				return fmt.Sprintf("VNI %d is in it twice: remove one", n)
			}
		}
	}
	return ""
}

// evpnClashes are those of two templates.
func evpnClashes(index *templateIndex, found func(a, b *template, neighbor string, f model.Finding)) {
	for vrf, routers := range index.routersByVRF {
		pairs(routers, func(r knownSession) *template { return r.template }, func(a, b knownSession) {
			if what := evpnConflict(a.router, b.router); what != "" && a.template.Namespace == b.template.Namespace {
				found(a.template, b.template, "", clashOf(a.template, b.template).EVPN(vrf, what))
			}
		})
	}
	for n, uses := range index.vnis {
		pairs(uses, func(u knownVNI) *template { return u.template }, func(a, b knownVNI) {
			if (a.vrf != b.vrf || a.layer3 != b.layer3) && a.template.Namespace == b.template.Namespace {
				found(a.template, b.template, "", clashOf(a.template, b.template).VNI(n))
			}
		})
	}
}

// evpnWithoutNeighbor reports objects on the node whose EVPN needs a neighbor that no
// object there has.
func (p *nodePlanner) evpnWithoutNeighbor(templates []*matchedTemplate, part *model.NodePart) {
	here := func(t *template) bool { return t.NodeSelector.Matches(p.node.Labels) }
	for _, t := range p.templates.evpn {
		if !here(t) || !slices.ContainsFunc(templates, func(m *matchedTemplate) bool { return m.Namespace == t.Namespace }) {
			continue
		}
		for _, r := range t.routers {
			if !needsEVPNNeighbor(&r.TemplateRouter) || slices.ContainsFunc(p.templates.evpnNeighbors, func(u knownSession) bool {
				return u.template.Namespace == t.Namespace && u.router.VRF == r.VRF && here(u.template)
			}) {
				continue
			}
			part.Findings = append(part.Findings, finding.EVPNWithoutNeighbor(t.displayName(), r.VRF))
		}
	}
}

func needsEVPNNeighbor(r *model.TemplateRouter) bool {
	return r.EVPN != nil && (r.EVPN.AdvertiseVNIs || r.EVPN.AdvertiseSVI || len(r.EVPN.L2VNIs) > 0)
}

func hasEVPNNeighbor(r *model.TemplateRouter) bool {
	return slices.ContainsFunc(r.Neighbors, func(s model.Session) bool { return slices.Contains(s.AddressFamilies, "evpn") })
}

// comparedEVPN is what frr-k8s compares of the EVPN that is generated.
type comparedEVPN struct{ model.EVPN }

func (e *comparedEVPN) rendered() *model.RouterEVPN {
	return &model.RouterEVPN{AdvertiseVNIs: e.AdvertiseVNIs, AdvertiseSVI: e.AdvertiseSVI}
}

// others calls do with the routers that objects on the node have in a VRF, until it
// returns true.
func (p *nodePlanner) others(namespace, vrf string, do func(knownSession) bool) *template {
	for _, r := range p.templates.routersByVRF[vrf] {
		if r.template.Namespace == namespace && r.template.Problem == nil && !r.template.managed() && r.template.NodeSelector.Matches(p.node.Labels) && do(r) {
			return r.template
		}
	}
	return nil
}

// defaultEVPN is what the generated router of the default VRF has before any VNI. It
// has no opinion on advertiseSVI, and takes that of others.
func (p *nodePlanner) defaultEVPN(namespace string) *comparedEVPN {
	out := &comparedEVPN{model.EVPN{AdvertiseVNIs: true}}
	p.others(namespace, "", func(r knownSession) bool {
		out.AdvertiseSVI = out.AdvertiseSVI || r.router.EVPN != nil && r.router.EVPN.AdvertiseSVI
		return out.AdvertiseSVI
	})
	return out
}

// evpnBeside finds an object whose router frr-k8s would not merge with ours for its
// EVPN.
func (p *nodePlanner) evpnBeside(namespace string, ours *model.TemplateRouter) (what string, other *template) {
	other = p.others(namespace, ours.VRF, func(r knownSession) bool {
		what = evpnConflict(ours, r.router)
		return what != ""
	})
	return what, other
}

// neighborsIn finds an object with a neighbor in the VRF.
func (p *nodePlanner) neighborsIn(namespace, vrf string) *template {
	return p.others(namespace, vrf, func(r knownSession) bool { return len(r.router.Neighbors) > 0 })
}

// vniOfOther finds an object that uses the VNI for something else.
func (p *nodePlanner) vniOfOther(namespace string, ours knownVNI, number uint32) (string, *template) {
	for _, use := range p.templates.vnis[number] {
		if use.template.Namespace == namespace && use.template.NodeSelector.Matches(p.node.Labels) && (use.vrf != ours.vrf || use.layer3 != ours.layer3) {
			return fmt.Sprintf("another use of VNI %d", number), use.template
		}
	}
	return "", nil
}
