package sources

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Settings are what the API does not tell.
type Settings struct {
	Node string
	// Subnets of the cluster as a whole. Pods are those of the default network.
	Pods, Services, Join, Masquerade, Transit []netip.Prefix
	// GatewayInterface overrides what OVN-Kubernetes says about the node's
	// gateway.
	GatewayInterface string
	// DefaultNoOverlay is set where the default network has no overlay, so
	// that its pods on other nodes are reached by BGP routes.
	DefaultNoOverlay bool
	// Advertisements is set where it matters what is advertised.
	Advertisements bool
	// NetworkIDs is set where every network's ID is needed, because VRF tables
	// are numbered after it.
	NetworkIDs bool
	// Allowed are classes of routes that are not guarded against.
	Allowed Allowed
}

// View is what the API told.
type View struct {
	Node  *corev1.Node
	CUDNs []ovnv1.ClusterUserDefinedNetwork
	// NetworkIDs by network name, as far as VRFs are named after them.
	NetworkIDs map[string]int
	// UplinkStates of this node.
	UplinkStates []unstructured.Unstructured
	// RouteAdvertisements, as far as they are known.
	RouteAdvertisements []ovnv1.RouteAdvertisements
	AdvertisementsKnown bool
	// APIServer are the API server's addresses, ServiceCIDRs the cluster's.
	APIServer    []netip.Addr
	ServiceCIDRs []netip.Prefix
}

// networkOf is the network that controls the definition, "" for what a tenant may
// have written.
func (v *View) networkOf(nad metav1.Object) string {
	name, uid := ovnk.ControllingCUDN(nad)
	if slices.ContainsFunc(v.CUDNs, func(c ovnv1.ClusterUserDefinedNetwork) bool { return c.Name == name && c.UID == uid }) {
		return ovnk.NetworkName(name)
	}
	return ""
}

// Networks returns the networks of the node. A network that can't be used is
// returned with its problem, so that what it has stays.
func Networks(view *View, settings *Settings) []agent.Network {
	all, _ := effective(view, settings)
	settings = &all
	subnets, subnetsProblem := nodeSubnets(view.Node)
	bridge, bridgeProblem := settings.GatewayInterface, ""
	if bridge == "" {
		bridge, bridgeProblem = gatewayBridge(view.Node)
	}
	source := "the node's annotation " + ovnk.AnnotationGatewayConfig
	if settings.GatewayInterface != "" {
		source = "--gateway-interface"
	}
	pods, meetings, guarded := newPodSubnets(view, settings), newMeetings(view), guards(view, settings)
	var addresses []netip.Addr
	own, _ := nodeAddresses(view.Node)
	for _, address := range own {
		addresses = append(addresses, address.Addr())
	}
	var out []agent.Network
	add := func(n agent.Network, noOverlay bool) {
		if noOverlay && subnetsProblem != "" && n.Problem == "" {
			n.Problem = subnetsProblem
		}
		own := subnets[n.Name]
		n.Subnets, n.NodeAddresses = pods.byNetwork[n.Name], addresses
		n.Protected = append([]routediff.Protected{{
			Reason: model.SkipPodSubnet, Subnets: pods.protectedFor(n.Name, noOverlay, own, meetings),
		}}, append(infrastructure(settings, pods.join), guarded...)...)
		out = append(out, n)
	}
	fromBridge := func(n *agent.Network) {
		if bridge != "" {
			n.Gateways, n.GatewaySource = []string{bridge}, source
		} else if bridgeProblem != "" {
			n.Problem = bridgeProblem
		}
	}
	standard := agent.Network{Name: model.DefaultNetwork}
	fromBridge(&standard)
	standard.Advertised = advertised(view, nil, "").yes
	add(standard, settings.DefaultNoOverlay)
	for i := range view.CUDNs {
		cudn := &view.CUDNs[i]
		if !primaryRouted(cudn) {
			continue
		}
		n := agent.Network{Name: ovnk.NetworkName(cudn.Name), Layer2: cudn.Spec.Network.Layer2 != nil}
		n.ID = view.NetworkIDs[n.Name]
		if n.VRF = vrf(cudn, view); n.VRF == "" {
			n.Problem = fmt.Sprintf("the VRF of ClusterUserDefinedNetwork %q is not known yet: waiting for OVN-Kubernetes to set its status.vrfName or the network's ID", cudn.Name)
		}
		if len(cudn.Spec.Uplinks) == 0 {
			fromBridge(&n)
		} else {
			n.Gateways, n.GatewaySource = uplinkBridge(view, cudn.Spec.Uplinks[0]), "the UplinkState of "+cudn.Spec.Uplinks[0]
		}
		how := advertised(view, cudn, n.VRF)
		n.Advertised, n.OtherVRF, n.OwnVRFOnly = how.yes, how.elsewhere, how.ownVRFOnly
		add(n, cudn.Spec.Network.Transport == ovnv1.TransportNoOverlay)
	}
	return out
}

func primaryRouted(cudn *ovnv1.ClusterUserDefinedNetwork) bool {
	network := &cudn.Spec.Network
	return network.Layer2 != nil && network.Layer2.Role == ovnv1.NetworkRolePrimary ||
		network.Layer3 != nil && network.Layer3.Role == ovnv1.NetworkRolePrimary
}

// vrf is the name of the network's VRF device, "" where it is not known.
func vrf(cudn *ovnv1.ClusterUserDefinedNetwork, view *View) string {
	if cudn.Status.VRFName != "" {
		return cudn.Status.VRFName
	}
	if name, ok := ovnk.VRFFromName(cudn.Name); ok {
		return name
	}
	if id, found := view.NetworkIDs[ovnk.NetworkName(cudn.Name)]; found {
		return ovnk.VRFFromID(id)
	}
	return ""
}

// nodeSubnets are the node's own subnets by network. Only networks without an
// overlay need them: elsewhere the whole cluster's subnets are protected.
func nodeSubnets(node *corev1.Node) (map[string][]netip.Prefix, string) {
	value, found := node.Annotations[ovnk.AnnotationNodeSubnets]
	if !found {
		return nil, "the node has no annotation " + ovnk.AnnotationNodeSubnets + " yet: waiting for OVN-Kubernetes"
	}
	subnets, err := ovnk.ParseNodeSubnets(value, nil)
	if err != nil {
		return nil, err.Error()
	}
	return subnets, ""
}

// gatewayBridge is the link of the node's gateway, "" while it is not known.
func gatewayBridge(node *corev1.Node) (bridge, problem string) {
	value, found := node.Annotations[ovnk.AnnotationGatewayConfig]
	if !found {
		return "", ""
	}
	config, err := ovnk.ParseGatewayConfig(value)
	if err != nil {
		return "", err.Error() + "; or set --gateway-interface"
	}
	return config.Bridge, ""
}

// uplinkBridge is the bridge of an Uplink on this node, nil while it is not
// known.
func uplinkBridge(view *View, uplink string) []string {
	for i := range view.UplinkStates {
		state := view.UplinkStates[i].Object
		name, _, _ := unstructured.NestedString(state, "spec", "uplinkName")
		node, _, _ := unstructured.NestedString(state, "spec", "nodeName")
		if name != uplink || node != view.Node.Name || !resolved(state) {
			continue
		}
		if bridge, _, _ := unstructured.NestedString(state, "status", "ovsBridge", "name"); bridge != "" {
			return []string{bridge}
		}
	}
	return nil
}

func resolved(state map[string]any) bool {
	conditions, _, _ := unstructured.NestedSlice(state, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		condition, ok := c.(map[string]any)
		return ok && condition["type"] == ovnk.UplinkStateResolved && condition["status"] == "True"
	})
}

// podSubnets are the pod subnets of all networks.
type podSubnets struct {
	byNetwork map[string][]netip.Prefix
	// join are join subnets that networks have of their own.
	join []netip.Prefix
}

func newPodSubnets(view *View, settings *Settings) podSubnets {
	out := podSubnets{byNetwork: map[string][]netip.Prefix{model.DefaultNetwork: settings.Pods}}
	for i := range view.CUDNs {
		cudn := &view.CUDNs[i]
		name := ovnk.NetworkName(cudn.Name)
		network := &cudn.Spec.Network
		switch {
		case network.Layer3 != nil:
			for _, subnet := range network.Layer3.Subnets {
				out.byNetwork[name] = appendCIDR(out.byNetwork[name], subnet.CIDR)
			}
			out.join = appendCIDR(out.join, network.Layer3.JoinSubnets...)
		case network.Layer2 != nil:
			out.byNetwork[name] = appendCIDR(out.byNetwork[name], network.Layer2.Subnets...)
			out.join = appendCIDR(out.join, network.Layer2.JoinSubnets...)
		}
	}
	return out
}

// appendCIDR leaves out what the CRD's validation would have refused.
func appendCIDR(out []netip.Prefix, cidrs ...ovnv1.CIDR) []netip.Prefix {
	for _, cidr := range cidrs {
		if prefix, err := netip.ParsePrefix(string(cidr)); err == nil {
			out = append(out, prefix.Masked())
		}
	}
	return out
}

// protectedFor are the pod subnets that a network's routes may not touch: those
// of all networks that it meets in a VRF, but without an overlay only the node's
// own of the network itself.
func (p podSubnets) protectedFor(network string, noOverlay bool, own []netip.Prefix, meetings meetings) routediff.PrefixSet {
	var all []netip.Prefix
	for name, subnets := range p.byNetwork {
		if meetings.meet(network, name) && (name != network || !noOverlay) {
			all = append(all, subnets...)
		}
	}
	return routediff.NewPrefixSet(append(all, own...)...)
}

func infrastructure(settings *Settings, join []netip.Prefix) []routediff.Protected {
	return []routediff.Protected{
		{Reason: model.SkipServiceSubnet, Subnets: routediff.NewPrefixSet(settings.Services...)},
		{Reason: model.SkipJoinSubnet, Subnets: routediff.NewPrefixSet(slices.Concat(settings.Join, join)...)},
		{Reason: model.SkipMasquerade, Subnets: routediff.NewPrefixSet(settings.Masquerade...)},
		{Reason: model.SkipTransitSubnet, Subnets: routediff.NewPrefixSet(settings.Transit...)},
	}
}
