package plan

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// extra is what a template wants of a router or a neighbor beyond frr-k8s' fields.
type extra[E any] struct {
	template *template
	settings E
}

// extras are those of all templates, the older ones first.
type extras[E interface {
	comparable
	With(E) (E, []string)
}] []extra[E]

// add adds what a template wants, and calls overridden for each older template that it
// contradicts, or younger one that contradicts it.
func (x *extras[E]) add(t *template, settings E, overridden func(older, younger *template, fields []string)) {
	var none E
	if settings == none || slices.ContainsFunc(*x, func(e extra[E]) bool { return e.template == t }) {
		return
	}
	added := extra[E]{t, settings}
	for _, other := range *x {
		first, second := other, added
		if compareTemplates(t, other.template) < 0 {
			first, second = added, other
		}
		if _, fields := first.settings.With(second.settings); len(fields) > 0 {
			overridden(first.template, second.template, fields)
		}
	}
	*x = append(*x, added)
	slices.SortFunc(*x, func(a, b extra[E]) int { return compareTemplates(a.template, b.template) })
}

// all is what counts: of two templates with a setting, that of the older one.
func (x extras[E]) all() E {
	var out E
	for _, e := range x {
		out, _ = out.With(e.settings)
	}
	return out
}

// addRouterExtra has a router get what the template wants of it.
func (p *nodePlanner) addRouterExtra(router *routerBuilder, t *template, r *templateRouter, part *model.NodePart) {
	if r.Extra == (model.RouterExtra{}) || p.leavesOutExtras(t, part) {
		return
	}
	if fault := model.RawVRFFault(r.VRF); fault != "" {
		note(part, finding.RawVRFRefused(t.displayName(), fault))
		return
	}
	router.extras.add(t, r.Extra, func(older, younger *template, fields []string) {
		note(part, finding.RouterSettingsOverridden(younger.displayName(), r.VRF, fields, older.displayName()))
	})
}

// addSessionExtra has a neighbor of the router get what the template wants of it.
func (p *nodePlanner) addSessionExtra(router *routerBuilder, t *template, r *templateRouter, n *templateNeighbor, part *model.NodePart) {
	builder := router.neighbors[n.ID()]
	if n.Extra == (model.SessionExtra{}) || builder == nil || p.leavesOutExtras(t, part) {
		return
	}
	if fault := model.RawFault(r.VRF, n.Session); fault != "" {
		note(part, finding.RawSettingsRefused(t.neighborName(n), fault))
		return
	}
	builder.extras.add(t, n.Extra, func(older, younger *template, fields []string) {
		note(part, finding.NeighborSettingsOverridden(younger.neighborName(n), r.VRF, fields, older.displayName()))
	})
}

// leavesOutExtras tells of a node that may not have raw text.
func (p *nodePlanner) leavesOutExtras(t *template, part *model.NodePart) bool {
	if p.node.Raw.On() {
		return false
	}
	note(part, finding.SessionSettingsLeftOut(t.displayName(), p.node.Raw))
	return true
}

// note adds a finding once.
func note(part *model.NodePart, f model.Finding) {
	if !slices.Contains(part.Findings, f) {
		part.Findings = append(part.Findings, f)
	}
}
