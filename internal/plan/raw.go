package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// noteRaw notes in the parts which of their routes neighbors get by raw text, once the
// routes have the attributes of all objects that advertise them.
func noteRaw(p *model.NodePlan) {
	for i := range p.Configs {
		for j := range p.Configs[i].Routers {
			router := &p.Configs[i].Routers[j]
			for k := range router.Neighbors {
				n := &router.Neighbors[k]
				if !slices.ContainsFunc(n.Advertise, needsRaw) {
					continue
				}
				for at := range p.Parts {
					noteRawOf(&p.Parts[at], router, n)
				}
			}
		}
	}
}

// noteRawOf takes the routes that the part advertises in the VRF.
func noteRawOf(part *model.NodePart, router *model.Router, n *model.Neighbor) {
	at, found := slices.BinarySearchFunc(part.Advertised, router.VRF, func(a model.AdvertisedRoutes, vrf string) int { return cmp.Compare(a.VRF, vrf) })
	if !found {
		return
	}
	raw := model.RawRoutes{VRF: router.VRF, Neighbor: n.ID(), ASN: cmp.Or(n.LocalASN, router.ASN)}
	for _, r := range n.Advertise {
		_, advertises := slices.BinarySearchFunc(part.Advertised[at].Routes, r, func(a, b model.Route) int { return a.Prefix.Compare(b.Prefix) })
		if advertises && needsRaw(r) {
			raw.Routes = append(raw.Routes, r)
		}
	}
	if len(raw.Routes) > 0 {
		part.Raw = append(part.Raw, raw)
	}
}
