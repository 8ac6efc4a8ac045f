package plan

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// underlay is a router of a template in the default VRF: its neighbors carry EVPN,
// and learn the way to the nodes' tunnel endpoints.
type underlay struct {
	*template
	router *templateRouter
}

func vtepsByName(vteps []model.VTEP) map[string]*model.VTEP {
	out := make(map[string]*model.VTEP, len(vteps))
	for i := range vteps {
		out[vteps[i].Name] = &vteps[i]
	}
	return out
}

// acceptEVPN is accept for a network with transport EVPN.
func (a *advertiser) acceptEVPN(n *model.Network, vteps map[string]*model.VTEP) *advertisedNetwork {
	name := n.DisplayName()
	refuse := func(f model.Finding) *advertisedNetwork {
		a.find(f)
		return nil
	}
	if n.EVPN == nil {
		return nil // It has a problem, which has been told.
	}
	vtep := vteps[n.EVPN.VTEP]
	switch {
	case a.TargetVRF != model.TargetVRFAuto && a.TargetVRF != n.VRF:
		return refuse(finding.EVPNTargetVRF(name, n.VRF, a.TargetVRF))
	case slices.Contains(a.Advertisements, model.AdvertiseEgressIP):
		return refuse(finding.EVPNWithEgressIP(name))
	case vtep == nil:
		return refuse(finding.VTEPNotFound(name, n.EVPN.VTEP))
	case vtep.Problem != nil:
		return refuse(vtep.Problem.In(model.Scope{Kind: model.ScopeNetwork, Name: name}))
	}
	return &advertisedNetwork{Network: n, vrf: n.VRF, vtep: vtep}
}

// vnis are all of an EVPN network.
func (n *advertisedNetwork) vnis() []uint32 {
	var out []uint32
	for _, v := range [2]*model.VPN{n.EVPN.MACVRF, n.EVPN.IPVRF} {
		if v != nil {
			out = append(out, v.VNI)
		}
	}
	return out
}

// evpnByAge are the EVPN networks of all objects, each once, in order of precedence.
func evpnByAge(advertisers []*advertiser) []*advertisedNetwork {
	byName := map[string]*advertisedNetwork{}
	for _, a := range advertisers {
		for _, n := range a.evpn {
			byName[n.Name] = n
		}
	}
	out := make([]*advertisedNetwork, 0, len(byName))
	for _, n := range byName {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *advertisedNetwork) int { return compareNetworks(*a.Network, *b.Network) })
	return out
}

// holdBackSharedVNIs leaves out networks with a VNI that an older network of the same
// VTEP has. Two VTEPs may be on different nodes: see vniOwner.
func holdBackSharedVNIs(advertisers []*advertiser) {
	type claim struct {
		vtep string
		vni  uint32
	}
	owners := map[claim]*model.Network{}
	held := map[string]model.Finding{}
	for _, n := range evpnByAge(advertisers) {
		for i, vni := range n.vnis() {
			owner := owners[claim{n.vtep.Name, vni}]
			if i > 0 && n.EVPN.MACVRF.VNI == vni {
				owner = n.Network
			}
			if owner != nil {
				held[n.Name] = finding.VNIShared(n.DisplayName(), vni, owner.DisplayName())
			}
		}
		if _, found := held[n.Name]; found {
			continue
		}
		for _, vni := range n.vnis() {
			owners[claim{n.vtep.Name, vni}] = n.Network
		}
	}
	for _, a := range advertisers {
		for _, n := range slices.Clone(a.evpn) {
			if f, found := held[n.Name]; found {
				a.dropNetwork(n)
				a.find(f)
			}
		}
	}
	noteRouteTargets(advertisers)
}

// noteRouteTargets tells of networks that learn each other's routes, and of what
// else is good to know of those that are advertised.
func noteRouteTargets(advertisers []*advertiser) {
	all := evpnByAge(advertisers)
	owners := map[string]*advertisedNetwork{}
	leaks := map[string]model.Finding{}
	for _, n := range all {
		for _, v := range [2]*model.VPN{n.EVPN.MACVRF, n.EVPN.IPVRF} {
			if v == nil || v.RouteTarget == "" {
				continue
			}
			if owner := owners[v.RouteTarget]; owner == nil {
				owners[v.RouteTarget] = n
			} else if owner != n {
				leaks[n.Name] = finding.RouteTargetShared(n.DisplayName(), v.RouteTarget, owner.DisplayName())
			}
		}
	}
	for _, a := range advertisers {
		for _, n := range a.evpn {
			if f, found := leaks[n.Name]; found {
				a.find(f)
			}
			for _, v := range [2]*model.VPN{n.EVPN.MACVRF, n.EVPN.IPVRF} {
				if v != nil && importOnly(v.RouteTarget) {
					a.find(finding.RouteTargetImportOnly(n.DisplayName(), v.RouteTarget))
				}
			}
		}
	}
}

// importOnly reports whether the route target matches any AS, which frr-k8s takes for
// imports alone.
func importOnly(routeTarget string) bool { return strings.HasPrefix(routeTarget, "*:") }

// routerVNI has the route target both ways where it can be exported.
func (n *advertisedNetwork) routerVNI(v *model.VPN) model.RouterVNI {
	out := model.RouterVNI{Number: v.VNI, VTEP: n.vtep.Name}
	if v.RouteTarget != "" {
		out.ImportRTs = []string{v.RouteTarget}
		if !importOnly(v.RouteTarget) {
			out.ExportRTs = []string{v.RouteTarget}
		}
	}
	return out
}

// comparedVNI is what frr-k8s compares of it.
func comparedVNI(v *model.RouterVNI) model.VNI {
	return model.VNI{Number: v.Number, ImportsNamed: len(v.ImportRTs) > 0, ExportsNamed: len(v.ExportRTs) > 0}
}

// takeUnderlays takes the template's routers that can carry EVPN, and reports whether
// there is any.
func (a *advertiser) takeUnderlays(t *template) bool {
	if len(a.evpn) == 0 {
		return false
	}
	found := false
	for _, r := range t.routers {
		if r.VRF != "" || len(r.neighbors)+len(r.reflectors) == 0 {
			continue
		}
		found = true
		a.underlays = append(a.underlays, underlay{t, r})
		for _, f := range r.findings {
			if !finding.IsNeighborNotUnicast(f) {
				a.find(f)
			}
		}
	}
	return found
}

// checkUnderlays leaves out EVPN networks that nobody would hear of.
func (a *advertiser) checkUnderlays(index *templateIndex) {
	if len(a.evpn) == 0 || len(a.underlays) > 0 {
		return
	}
	var names []string
	for _, t := range index.all {
		if a.TemplateSelector.Matches(t.Labels) {
			names = append(names, "FRRConfiguration "+t.displayName())
		}
	}
	a.find(finding.EVPNNoUnderlay(a.Name, phrase.List(names, maxTemplates)))
	for _, n := range slices.Clone(a.evpn) {
		a.dropNetwork(n)
	}
}

// maxTemplates is how many templates a message lists.
const maxTemplates = 3

// usesIPVRF reports whether a router with the ID is one of the object's IP-VRFs.
func (a *advertiser) usesIPVRF(key routerID) bool {
	return slices.ContainsFunc(a.evpn, func(n *advertisedNetwork) bool { return n.EVPN.IPVRF != nil && n.VRF == key.vrf }) &&
		slices.ContainsFunc(a.underlays, func(u underlay) bool { return u.Namespace == key.namespace })
}

// sameVTEP reports whether plans are the same with one VTEP and the other.
func sameVTEP(a, b *model.VTEP) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && a.Source == b.Source && slices.Equal(a.CIDRs, b.CIDRs)
}

// buildEVPN is the router's EVPN with its l2vnis and endpoints in order.
func (r *routerBuilder) buildEVPN() *model.RouterEVPN {
	if r.evpn == nil {
		return nil
	}
	out := *r.evpn
	for _, v := range r.l2vnis {
		out.L2VNIs = append(out.L2VNIs, v)
	}
	slices.SortFunc(out.L2VNIs, func(a, b model.RouterVNI) int { return cmp.Compare(a.Number, b.Number) })
	for _, vtep := range slices.Sorted(maps.Keys(r.endpoints)) {
		out.Endpoints = append(out.Endpoints, model.Endpoint{VTEP: vtep, Address: r.endpoints[vtep]})
	}
	return &out
}

// evpnChanged reports whether VNI claims that cross VTEPs may have changed: only
// nodes know which VTEPs meet on them.
func evpnChanged(c, old *Compiled) bool {
	claims := func(c *Compiled) map[string][]uint32 {
		out := map[string][]uint32{}
		for _, n := range c.evpnByAge {
			out[n.Name] = n.vnis()
		}
		return out
	}
	return !reflect.DeepEqual(claims(c), claims(old))
}
