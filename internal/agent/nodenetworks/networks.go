package nodenetworks

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Settings are what the agent's flags say.
type Settings struct {
	Node string
	// Subnets of the cluster as a whole, besides those of the manager's object. Pods
	// are those of the default network.
	Pods, Services, Join, Masquerade, Transit []netip.Prefix
	// PodsTold and ServicesTold are set if flags say so, be it that there are none.
	PodsTold, ServicesTold bool
	// GatewayInterface overrides what OVN-Kubernetes says about the node's
	// gateway.
	GatewayInterface string
	// DefaultNoOverlay is set if the default network has no overlay, whatever the
	// manager knows.
	DefaultNoOverlay bool
	// APIServer are the addresses at which this agent reaches the API server.
	APIServer []netip.Addr
	// Allowed are classes of routes that are not guarded against.
	Allowed Allowed
}

// Networks returns the networks of the node. A network that can't be used is
// returned with its problem, so that what it has stays.
func Networks(d *Decision, settings *Settings) []agent.Network {
	all, _ := effective(d, settings)
	around := surroundings{Decision: d, settings: &all, guards: guards(d, &all), missing: missing(d, &all)}
	for _, address := range d.addresses {
		around.nodeAddresses = append(around.nodeAddresses, address.Addr())
	}
	around.partsUnknown = !slices.ContainsFunc(d.networks, func(n network) bool { return isDefault(&n) && len(n.hostSubnets) > 0 })
	out := make([]agent.Network, 0, len(d.networks))
	for i := range d.networks {
		out = append(out, around.network(&d.networks[i]))
	}
	return out
}

// WithoutManager are the networks of a node for which there is no manager's object, as
// far as flags describe them: the default one. ok is false if the flags don't suffice.
func WithoutManager(settings *Settings) (networks []agent.Network, ok bool) {
	if settings.GatewayInterface == "" || !settings.PodsTold || !settings.ServicesTold {
		return nil, false
	}
	return Networks(standalone(), settings), true
}

// surroundings are what a node's networks have in common.
type surroundings struct {
	*Decision
	settings      *Settings
	guards        []routediff.Protected
	nodeAddresses []netip.Addr
	// missing is what has to be known before anything can be imported.
	missing string
	// partsUnknown is set while OVN-Kubernetes has not said which parts of networks
	// are the node's: the default one's comes first.
	partsUnknown bool
}

func (s *surroundings) network(n *network) agent.Network {
	out := agent.Network{
		Name: n.Name, Layer2: n.Topology == string(model.TopologyLayer2), VRF: n.VRF, ID: int(n.ID), Problem: n.Problem,
		Subnets: s.podsOf(n), NodeAddresses: s.nodeAddresses,
		Advertised: len(n.AdvertisedIn) > 0, OwnVRFOnly: n.OwnVRFOnly,
		OtherVRF: !isDefault(n) && slices.ContainsFunc(n.AdvertisedIn, func(vrf v1alpha1.VRFName) bool { return string(vrf) != n.VRF }),
	}
	out.EVPN = s.evpnOf(n)
	s.gatewayOf(n, &out)
	out.Problem = cmp.Or(out.Problem, s.missing)
	if s.noOverlay(n) && s.partsUnknown {
		out.Problem = cmp.Or(out.Problem, "the node's own subnets are not known yet, which no route of a network without an overlay may touch: waiting for OVN-Kubernetes")
	}
	out.Protected = append([]routediff.Protected{{Reason: model.SkipPodSubnet, Subnets: s.protectedPods(n)}}, s.infrastructure()...)
	out.Protected = append(out.Protected, s.guards...)
	return out
}

// gatewayOf finds the link that the network's gateway router leaves the node by.
func (s *surroundings) gatewayOf(n *network, out *agent.Network) {
	gateway, source := s.gateway, "the node's annotation "+ovnk.AnnotationGatewayConfig
	switch {
	case n.Uplink != "":
		gateway, source = n.UplinkGateway, "the UplinkState of "+n.Uplink
	case s.settings.GatewayInterface != "":
		gateway, source = s.settings.GatewayInterface, "--gateway-interface"
	case gateway == "" && s.gatewayProblem != "" && out.Problem == "":
		out.Problem = s.gatewayProblem + "; or set --gateway-interface"
	}
	if gateway != "" {
		out.Gateways, out.GatewaySource = []string{gateway}, source
	}
}

func isDefault(n *network) bool { return n.Name == model.DefaultNetwork }

// podsOf are the network's pod subnets. Flags may know more of the default one's.
func (s *surroundings) podsOf(n *network) []netip.Prefix {
	if isDefault(n) {
		return s.settings.Pods
	}
	return n.subnets
}

// protectedPods are the pod subnets that a network's routes may not touch: those of
// all networks that it meets in a VRF, but without an overlay only the node's own of
// the network itself. A route in one's table may only lead astray what goes to
// networks that it meets.
func (s *surroundings) protectedPods(n *network) routediff.PrefixSet {
	var all []netip.Prefix
	for i := range s.networks {
		other := &s.networks[i]
		if other.Name == n.Name && !s.noOverlay(n) || other.Name != n.Name && meet(n, other) {
			all = append(all, s.podsOf(other)...)
		}
	}
	return routediff.NewPrefixSet(append(all, n.hostSubnets...)...)
}

func (s *surroundings) noOverlay(n *network) bool {
	return n.Transport == string(model.TransportNoOverlay) || isDefault(n) && s.settings.DefaultNoOverlay
}

func meet(a, b *network) bool {
	return slices.ContainsFunc(a.PodVRFs, func(vrf v1alpha1.VRFName) bool { return slices.Contains(b.PodVRFs, vrf) })
}

func (s *surroundings) infrastructure() []routediff.Protected {
	return []routediff.Protected{
		{Reason: model.SkipServiceSubnet, Subnets: routediff.NewPrefixSet(s.settings.Services...)},
		{Reason: model.SkipJoinSubnet, Subnets: routediff.NewPrefixSet(s.settings.Join...)},
		{Reason: model.SkipMasquerade, Subnets: routediff.NewPrefixSet(s.settings.Masquerade...)},
		{Reason: model.SkipTransitSubnet, Subnets: routediff.NewPrefixSet(s.settings.Transit...)},
	}
}
