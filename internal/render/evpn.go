package render

import (
	"slices"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// maxL2VNIs is how many l2vnis frr-k8s' CRD allows per router.
const maxL2VNIs = 10

func evpn(e *model.RouterEVPN) *frrk8sv1beta1.EVPNConfig {
	if e == nil {
		return nil
	}
	out := &frrk8sv1beta1.EVPNConfig{AdvertiseSVI: e.AdvertiseSVI}
	if e.AdvertiseVNIs {
		all := frrk8sv1beta1.VNIAdvertisementAll
		out.AdvertiseVNIs = &all
	}
	for i := range e.L2VNIs {
		out.L2VNIs = append(out.L2VNIs, frrk8sv1beta1.L2VNI{VNI: e.L2VNIs[i].Number, VNIProperties: properties(&e.L2VNIs[i])})
	}
	if e.L3VNI != nil {
		out.L3VNI = &frrk8sv1beta1.L3VNI{
			VNI: e.L3VNI.Number, VNIProperties: properties(e.L3VNI),
			AdvertisePrefixes: []frrk8sv1beta1.AdvertisePrefixType{"unicast"},
		}
	}
	return out
}

func properties(v *model.RouterVNI) frrk8sv1beta1.VNIProperties {
	var out frrk8sv1beta1.VNIProperties
	for _, rt := range v.ImportRTs {
		out.ImportRTs = append(out.ImportRTs, frrk8sv1beta1.ImportRouteTarget(rt))
	}
	for _, rt := range v.ExportRTs {
		out.ExportRTs = append(out.ExportRTs, frrk8sv1beta1.ExportRouteTarget(rt))
	}
	return out
}

// splitVNIs moves what a router has of l2vnis past the limit into parts of their own.
//
// frr-k8s checks l2vnis on the node's merged whole, but its webhook sees the parts that
// are there at the time: a router with l2vnis needs a neighbor with family evpn, and
// all have to agree on advertiseVNIs and advertiseSVI. So each part repeats one such
// neighbor, and any of them may be written first or stay last.
func splitVNIs(parts []part, profiles []model.BFDProfile) []part {
	var more []part
	for i := range parts {
		for j := range parts[i].routers {
			r := &parts[i].routers[j]
			if r.EVPN == nil || len(r.EVPN.L2VNIs) <= maxL2VNIs {
				continue
			}
			// Routers are the plan's, so that what is cut is a copy.
			parts[i].routers = slices.Clone(parts[i].routers)
			r = &parts[i].routers[j]
			rest := r.EVPN.L2VNIs[maxL2VNIs:]
			r.EVPN = withVNIs(r.EVPN, r.EVPN.L2VNIs[:maxL2VNIs])
			for len(rest) > 0 {
				n := min(maxL2VNIs, len(rest))
				more = append(more, partOfVNIs(r, rest[:n], profiles))
				rest = rest[n:]
			}
		}
	}
	return append(parts, more...)
}

func partOfVNIs(r *model.Router, vnis []model.RouterVNI, profiles []model.BFDProfile) part {
	out := model.Router{ASN: r.ASN, ID: r.ID, VRF: r.VRF, EVPN: withVNIs(r.EVPN, vnis)}
	for i := range r.Neighbors {
		if carriesEVPN(&r.Neighbors[i].Session) {
			out.Neighbors = []model.Neighbor{{Session: r.Neighbors[i].Session}}
			break
		}
	}
	p := part{routers: []model.Router{out}}
	for _, profile := range profiles {
		if p.names(profile.Name) {
			p.profiles = append(p.profiles, profile)
		}
	}
	return p
}

// withVNIs is the same EVPN with other l2vnis. An L3VNI is in the first part alone.
func withVNIs(e *model.RouterEVPN, vnis []model.RouterVNI) *model.RouterEVPN {
	return &model.RouterEVPN{AdvertiseVNIs: e.AdvertiseVNIs, AdvertiseSVI: e.AdvertiseSVI, L2VNIs: vnis}
}

func carriesEVPN(s *model.Session) bool {
	return slices.Contains(s.AddressFamilies, "evpn")
}
