package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// selectNetworks finds the networks to advertise and says of the others that
// are selected why they can't be.
func (a *advertiser) selectNetworks(networks []model.Network, vteps map[string]*model.VTEP) {
	if a.idle {
		return
	}
	selected, byLabel := 0, 0
	for i := range networks {
		n := &networks[i]
		if !a.selects(n) {
			continue
		}
		selected++
		if !n.IsDefault() {
			byLabel++
		}
		switch advertised := a.accept(n, vteps); {
		case advertised == nil:
		case n.Transport == model.TransportEVPN:
			a.evpn = append(a.evpn, advertised)
		default:
			a.networks = append(a.networks, advertised)
		}
	}
	if selected == 0 {
		a.find(finding.NoNetworkSelected(a.Name, a.explainNoNetwork(networks), false))
	} else if byLabel == 0 && len(a.NetworkSelectors) > 0 {
		// The default network is advertised anyway, so this blocks nothing.
		a.find(finding.NoNetworkSelected(a.Name, a.explainNoNetwork(networks), true))
	}
	a.indexNetworks()
}

// leaveToController leaves an object to the controller that handles it, even with
// --take-over, if the object selects a network without overlay, which OVN-Kubernetes does
// not run without that controller. Of an EVPN network both controllers render the same.
// For any other object it reports that the controller can't be switched off for it.
func (a *advertiser) leaveToController(networks []model.Network) {
	if a.takenFrom == "" {
		return
	}
	var elsewhere, evpn finding.NeedsController
	for i := range networks {
		n := &networks[i]
		why := needsController(n)
		switch {
		case why == "":
		case !a.selects(n):
			elsewhere = cmp.Or(elsewhere, why)
		case n.Transport == model.TransportEVPN:
			evpn = cmp.Or(evpn, why)
		default:
			a.aside, a.ForeignController, a.leftFor = true, a.takenFrom, "it selects "+string(why)
			return
		}
	}
	switch {
	case evpn != "":
		a.beside = true
		a.find(finding.RenderedByBoth(a.Name, evpn))
	case elsewhere != "":
		a.find(finding.ControllerNeeded(a.Name, elsewhere))
	}
}

// needsController names a network that OVN-Kubernetes' cluster manager breaks
// without --enable-route-advertisements, and says how; "" for any other.
func needsController(n *model.Network) finding.NeedsController {
	switch {
	case n.Transport == model.TransportEVPN:
		return finding.EVPNNeedsController(n.DisplayName())
	case n.Transport == model.TransportNoOverlay && n.IsDefault():
		return finding.DefaultNeedsController()
	case n.Transport == model.TransportNoOverlay:
		return finding.NoOverlayNeedsController(n.DisplayName())
	default:
		return ""
	}
}

// selects reports whether a network selector of the object matches.
func (a *advertiser) selects(n *model.Network) bool {
	if n.IsDefault() {
		return a.SelectsDefaultNetwork
	}
	return slices.ContainsFunc(a.NetworkSelectors, func(s model.Selector) bool { return s.Matches(n.Labels) })
}

// accept returns the network as the object advertises it, or nil and a
// finding that says why it can't be.
func (a *advertiser) accept(n *model.Network, vteps map[string]*model.VTEP) *advertisedNetwork {
	invalid := func(f model.Finding) *advertisedNetwork {
		a.find(f)
		return nil
	}
	name := n.DisplayName()
	scope := model.Scope{Kind: model.ScopeNetwork, Name: name}
	switch {
	case n.Problem != nil:
		return invalid(n.Problem.In(scope))
	case !n.IsDefault() && !n.Primary:
		return invalid(finding.NotPrimary(name))
	case !n.IsDefault() && n.Topology != model.TopologyLayer2 && n.Topology != model.TopologyLayer3:
		return invalid(finding.UnsupportedTopology(name, n.Topology))
	case n.VRFProblem != nil:
		return invalid(n.VRFProblem.In(scope))
	case n.Transport == model.TransportEVPN:
		return a.acceptEVPN(n, vteps)
	}
	out := &advertisedNetwork{Network: n, vrf: n.VRF}
	if n.IsDefault() {
		out.vrf = model.DefaultVRF
	}
	for _, s := range a.sources {
		if !s.takes(a, n) {
			out.refusedBy = append(out.refusedBy, s)
		}
	}
	if len(out.refusedBy) == len(a.sources) {
		return nil
	}
	return out
}

func (a *advertiser) indexNetworks() {
	byVRF := func(x, y *advertisedNetwork) int { return cmp.Compare(x.vrf, y.vrf) }
	slices.SortFunc(a.networks, byVRF)
	slices.SortFunc(a.evpn, byVRF)
	a.byName = make(map[string]*advertisedNetwork, len(a.networks)+len(a.evpn))
	for _, n := range a.all() {
		a.byName[n.Name] = n
	}
}

// dropNetwork leaves a network out, and the routers that are for it alone.
func (a *advertiser) dropNetwork(n *advertisedNetwork) {
	dropped := func(other *advertisedNetwork) bool { return other == n }
	a.networks, a.evpn = slices.DeleteFunc(a.networks, dropped), slices.DeleteFunc(a.evpn, dropped)
	delete(a.byName, n.Name)
	for _, t := range a.templates {
		t.routers = slices.DeleteFunc(t.routers, func(r matchedRouter) bool { return r.network == n })
	}
	a.templates = slices.DeleteFunc(a.templates, func(t *matchedTemplate) bool { return len(t.routers) == 0 })
}

// all are the object's networks, whatever their transport.
func (a *advertiser) all() []*advertisedNetwork {
	if len(a.evpn) == 0 {
		return a.networks
	}
	return slices.Concat(a.networks, a.evpn)
}

// originVRF is the VRF, as routers call it, whose router originates the
// network's prefixes.
func (a *advertiser) originVRF(n *advertisedNetwork) string {
	if a.TargetVRF == model.TargetVRFAuto {
		return n.VRF
	}
	return a.TargetVRF
}

// holdBackSharedVRFs leaves out networks that map to the VRF of an older one:
// a VRF's table can hold the routes of one network only.
func holdBackSharedVRFs(advertisers []*advertiser) {
	owners := map[string]*model.Network{}
	for _, a := range advertisers {
		for _, n := range a.all() {
			if owner := owners[n.vrf]; owner == nil || compareNetworks(*n.Network, *owner) < 0 {
				owners[n.vrf] = n.Network
			}
		}
	}
	for _, a := range advertisers {
		for _, n := range slices.Clone(a.all()) {
			owner := owners[n.vrf]
			if owner.Name == n.Name {
				continue
			}
			a.dropNetwork(n)
			a.find(finding.VRFShared(n.DisplayName(), n.vrf, owner.DisplayName()))
		}
	}
}

// explainNoNetwork says why the network selectors match nothing.
func (a *advertiser) explainNoNetwork(networks []model.Network) string {
	candidates := make([]finding.Candidate, 0, len(networks))
	for i := range networks {
		if !networks[i].IsDefault() {
			candidates = append(candidates, finding.Candidate{Name: networks[i].CUDN, Labels: networks[i].Labels})
		}
	}
	if len(a.NetworkSelectors) == 0 {
		return finding.NoNetworkSelector()
	}
	return finding.NoMatch("clusterUserDefinedNetworkSelector.networkSelector", "ClusterUserDefinedNetworks", a.NetworkSelectors[0], candidates)
}
