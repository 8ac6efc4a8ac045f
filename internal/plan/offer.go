package plan

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// offer is what a router's neighbors may get of an advertiser's routes.
type offer struct {
	routeSet
	*contribution
	// network is the one whose routes the set has, nil for all.
	network *advertisedNetwork
	ruled   []*ruledRoutes
}

// ruledRoutes are the routes that rules let through, with their attributes and bare.
type ruledRoutes struct {
	rules      *neighborRules
	attributed routeSet
	bare       *routeSet
}

func newOffer(c *contribution, network *advertisedNetwork) *offer {
	return &offer{routeSet: newRouteSet(c.routes, network), contribution: c, network: network}
}

// to returns what a neighbor gets, with attributes and bare. Neighbors with the same
// rules share the lists.
func (o *offer) to(n *templateNeighbor) (attributed, bare []model.Route) {
	if o.rules == nil {
		all := o.forNeighbor(n)
		return all, all
	}
	rules := o.rules.forNeighbor(n)
	at := slices.IndexFunc(o.ruled, func(r *ruledRoutes) bool { return r.rules == rules })
	if at < 0 {
		at = len(o.ruled)
		o.ruled = append(o.ruled, o.apply(rules))
	}
	ruled := o.ruled[at]
	for i, lists := range [2][2][]model.Route{{ruled.bare.ipv4, o.ipv4}, {ruled.bare.ipv6, o.ipv6}} {
		takes := [2]bool{n.takesIPv4, n.takesIPv6}[i]
		o.rules.suppressed[i] = o.rules.suppressed[i] || takes && len(lists[0]) == 0 && len(lists[1]) > 0
	}
	return ruled.attributed.forNeighbor(n), ruled.bare.forNeighbor(n)
}

func (o *offer) apply(rules *neighborRules) *ruledRoutes {
	out := make([]model.Route, 0, len(o.routes))
	suppressed := false
	for i := range o.routes {
		r := &o.routes[i]
		if o.network != nil && r.network != o.network {
			continue
		}
		g := o.group(rules, i)
		if g.suppressed {
			suppressed = true
			continue
		}
		out = append(out, model.Route{Prefix: r.Prefix, Attributes: r.Attributes.With(g.attributes)})
	}
	if !suppressed && len(out) == len(o.all) {
		// The prefixes are the same, one of each.
		v4 := len(o.ipv4)
		return &ruledRoutes{rules, routeSet{all: out, ipv4: out[:v4:v4], ipv6: out[v4:]}, &o.routeSet}
	}
	ruled := &ruledRoutes{rules: rules, attributed: splitRoutes(onePerPrefix(out)), bare: &o.routeSet}
	if suppressed {
		bare := splitRoutes(withoutAttributes(ruled.attributed.all))
		ruled.bare = &bare
	}
	return ruled
}

func withoutAttributes(routes []model.Route) []model.Route {
	out := make([]model.Route, len(routes))
	for i := range routes {
		out[i].Prefix = routes[i].Prefix
	}
	return out
}

// originated are the routes that the router has to have: those that no neighbor gets stay
// out of it, since other neighbors in FRR would get them where their filters let them.
func (o *offer) originated() []model.Route {
	if len(o.ruled) == 0 {
		return o.all
	}
	var lists [][]model.Route
	for _, ruled := range o.ruled {
		if ruled.bare == &o.routeSet {
			return o.all
		}
		lists = append(lists, ruled.bare.all)
	}
	return mergeRoutes(lists)
}
