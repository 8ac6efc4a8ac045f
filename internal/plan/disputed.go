package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// undisputed takes scalars away that others on the node contradict, of whom FRR takes one:
// local preferences of others' FRRConfigurations, and all scalars of objects that are
// older.
func (p *nodePlanner) undisputed(c *contribution, t *template, r *templateRouter, n *templateNeighbor, known *neighborBuilder, routes []model.Route) []model.Route {
	for scalar := range scalarCount {
		if !slices.ContainsFunc(c.rules.rules, func(r *policyRule) bool { _, set := scalar.of(&r.values); return set }) {
			continue
		}
		if scalar == localPreference {
			routes = p.preferredByNoOther(c, t, r, n, routes)
		}
		if known != nil {
			routes = c.ofNoOlder(scalar, n, known, routes)
		}
	}
	return routes
}

// preferredByNoOther leaves local preferences to FRRConfigurations that set another one:
// frr-k8s refuses two.
func (p *nodePlanner) preferredByNoOther(c *contribution, t *template, r *templateRouter, n *templateNeighbor, routes []model.Route) []model.Route {
	sessions := p.templates.sessions[sessionKey{t.Namespace, r.VRF, n.canonical}]
	if len(sessions) == 0 {
		sessions = []knownSession{{template: t, session: n.Session}}
	}
	for _, other := range sessions {
		if len(other.session.LocalPreferences) == 0 || other.session.ID() != n.ID() || !other.template.NodeSelector.Matches(p.node.Labels) {
			continue
		}
		routes = c.withoutDisputed(localPreference, routes, n, func(prefix netip.Prefix) (uint32, bool) {
			preference, set := other.session.LocalPreferences[prefix.String()]
			return preference, set
		}, func(r *policyRule) model.Finding {
			if r.ofDrain() {
				return finding.DrainKeepsPreference(n.ID(), other.template.displayName())
			}
			return finding.LocalPreferenceConflict(r.policy, r.index, n.ID(), other.template.displayName())
		})
	}
	return routes
}

// ofNoOlder leaves the scalar to older objects that advertise the same prefix with another
// one to the neighbor.
func (c *contribution) ofNoOlder(scalar scalar, n *templateNeighbor, known *neighborBuilder, routes []model.Route) []model.Route {
	for _, list := range known.advertise {
		routes = c.withoutDisputed(scalar, routes, n, func(prefix netip.Prefix) (uint32, bool) {
			i, found := slices.BinarySearchFunc(list, prefix, func(r model.Route, p netip.Prefix) int { return r.Prefix.Compare(p) })
			if !found {
				return 0, false
			}
			values := list[i].Attributes.Values()
			return scalar.of(&values)
		}, func(r *policyRule) model.Finding {
			return finding.OverriddenByOlder(r.policy, n.ID(), r.index, scalar.field(), c.Name)
		})
	}
	return routes
}

// withoutDisputed leaves the list alone, which others share.
func (c *contribution) withoutDisputed(scalar scalar, routes []model.Route, n *templateNeighbor, other func(netip.Prefix) (uint32, bool), tell func(*policyRule) model.Finding) []model.Route {
	rules := c.rules.forNeighbor(n)
	changed := false
	for i := range routes {
		values := routes[i].Attributes.Values()
		ours, set := scalar.of(&values)
		if !set {
			continue
		}
		theirs, set := other(routes[i].Prefix)
		if !set || theirs == ours {
			continue
		}
		if !changed {
			routes, changed = slices.Clone(routes), true
		}
		routes[i].Attributes = scalar.without(routes[i].Attributes)
		for j := range c.routes {
			if c.routes[j].Prefix != routes[i].Prefix {
				continue
			}
			if r := c.group(rules, j).from[scalar]; r != nil {
				c.rules.find(r.policy, tell(r))
			}
		}
	}
	return routes
}
