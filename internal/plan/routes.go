package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// routeSet holds sorted routes, one for each prefix; neighbors share its slices.
type routeSet struct {
	all, ipv4, ipv6 []model.Route
}

// newRouteSet takes the routes of one network, or of all if it is nil.
func newRouteSet(routes []route, network *advertisedNetwork) routeSet {
	all := make([]model.Route, 0, len(routes))
	for i := range routes {
		if network == nil || routes[i].network == network {
			all = append(all, routes[i].Route)
		}
	}
	return splitRoutes(onePerPrefix(all))
}

func splitRoutes(sorted []model.Route) routeSet {
	s := routeSet{all: sorted}
	// netip orders addresses by bit length first, so IPv4 is a prefix of the list.
	split, _ := slices.BinarySearchFunc(s.all, 32, func(r model.Route, bits int) int { return cmp.Compare(r.Prefix.Addr().BitLen(), bits+1) })
	s.ipv4, s.ipv6 = s.all[:split:split], s.all[split:]
	return s
}

func (s *routeSet) forNeighbor(n *templateNeighbor) []model.Route {
	switch {
	case n.takesIPv4 && n.takesIPv6:
		return s.all
	case n.takesIPv4:
		return s.ipv4
	default:
		return s.ipv6
	}
}

func (s *routeSet) families() string {
	switch {
	case len(s.ipv4) > 0 && len(s.ipv6) > 0:
		return "IPv4 and IPv6"
	case len(s.ipv4) > 0:
		return "IPv4"
	default:
		return "IPv6"
	}
}

// mergeRoutes unites sorted lists, the first of which come first in precedence.
// One list alone is shared, not copied.
func mergeRoutes(lists [][]model.Route) []model.Route {
	if len(lists) == 0 {
		return nil
	}
	for len(lists) > 1 {
		merged := make([][]model.Route, 0, (len(lists)+1)/2)
		for pair := range slices.Chunk(lists, 2) {
			if len(pair) == 2 {
				merged = append(merged, mergeTwo(pair[0], pair[1]))
			} else {
				merged = append(merged, pair[0])
			}
		}
		lists = merged
	}
	return lists[0]
}

func mergeTwo(first, second []model.Route) []model.Route {
	out := make([]model.Route, 0, len(first)+len(second))
	for len(first) > 0 && len(second) > 0 {
		switch order := first[0].Prefix.Compare(second[0].Prefix); {
		case order < 0:
			out, first = append(out, first[0]), first[1:]
		case order > 0:
			out, second = append(out, second[0]), second[1:]
		default:
			both := model.Route{Prefix: first[0].Prefix, Attributes: first[0].Attributes.With(second[0].Attributes)}
			out, first, second = append(out, both), first[1:], second[1:]
		}
	}
	return append(append(out, first...), second...)
}

// onePerPrefix gives each prefix of a sorted list the attributes of all routes
// to it: BGP has one path per prefix, and frr-k8s refuses two local preferences.
func onePerPrefix(list []model.Route) []model.Route {
	out := list[:0]
	for i := range list {
		if last := len(out) - 1; last >= 0 && out[last].Prefix == list[i].Prefix {
			out[last].Attributes = out[last].Attributes.With(list[i].Attributes)
			continue
		}
		out = append(out, list[i])
	}
	return out
}

// addAdvertised notes the routes of a neighbor. Neighbors of the same families
// share one list, which counts once.
func addAdvertised(to []model.AdvertisedRoutes, vrf string, routes []model.Route) []model.AdvertisedRoutes {
	for _, known := range to {
		if known.VRF == vrf && len(known.Routes) == len(routes) && &known.Routes[0] == &routes[0] {
			return to
		}
	}
	return append(to, model.AdvertisedRoutes{VRF: vrf, Routes: routes})
}

// uniteAdvertised makes one list of all that a VRF has.
func uniteAdvertised(noted []model.AdvertisedRoutes) []model.AdvertisedRoutes {
	slices.SortStableFunc(noted, func(a, b model.AdvertisedRoutes) int { return cmp.Compare(a.VRF, b.VRF) })
	out := noted[:0]
	for len(noted) > 0 {
		vrf := noted[0].VRF
		var lists [][]model.Route
		vni := uint32(0)
		for ; len(noted) > 0 && noted[0].VRF == vrf; noted = noted[1:] {
			lists, vni = append(lists, noted[0].Routes), max(vni, noted[0].VNI)
		}
		out = append(out, model.AdvertisedRoutes{VRF: vrf, Routes: mergeRoutes(lists), VNI: vni})
	}
	return out
}
