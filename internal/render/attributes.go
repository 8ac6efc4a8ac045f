package render

import (
	"maps"
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// typedRoutes are those that raw text doesn't announce. Nearly always they are all.
func typedRoutes(routes []model.Route) []model.Route {
	needsRaw := func(r model.Route) bool { return r.Attributes.NeedsRaw() }
	if !slices.ContainsFunc(routes, needsRaw) {
		return routes
	}
	return slices.DeleteFunc(slices.Clone(routes), needsRaw)
}

// attributes writes what routes are announced with: frr-k8s lists, for each local
// preference and each community, the prefixes that get it, and refuses a value
// that is listed twice.
func attributes(out *frrk8sv1beta1.Advertise, routes []model.Route) {
	if !slices.ContainsFunc(routes, func(r model.Route) bool { return r.Attributes != model.Attributes{} }) {
		return
	}
	byPreference := map[uint32][]string{}
	byCommunity := map[model.Community][]string{}
	for i := range routes {
		if routes[i].Attributes == (model.Attributes{}) {
			continue
		}
		prefix, values := routes[i].Prefix.String(), routes[i].Attributes.Values()
		if values.LocalPreference != nil {
			byPreference[*values.LocalPreference] = append(byPreference[*values.LocalPreference], prefix)
		}
		for _, community := range values.Communities {
			byCommunity[community] = append(byCommunity[community], prefix)
		}
	}
	for _, preference := range slices.Sorted(maps.Keys(byPreference)) {
		out.PrefixesWithLocalPref = append(out.PrefixesWithLocalPref, frrk8sv1beta1.LocalPrefPrefixes{
			Prefixes: byPreference[preference], LocalPref: preference,
		})
	}
	for _, community := range slices.SortedFunc(maps.Keys(byCommunity), model.Community.Compare) {
		out.PrefixesWithCommunity = append(out.PrefixesWithCommunity, frrk8sv1beta1.CommunityPrefixes{
			Prefixes: byCommunity[community], Community: community.String(),
		})
	}
}
