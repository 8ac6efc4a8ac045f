package render

import (
	"net/netip"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// maxProblem is what the API takes of a problem's text.
const maxProblem = 1024

// Networks renders what a node has to do for its networks; of the cluster it takes
// what is the same for all nodes. Like Node, it renders nothing of a plan with Keep
// set.
func Networks(p *model.NodePlan, around *model.Surroundings, cluster *model.Cluster) *v1alpha1.NodeNetworks {
	if p.Keep {
		return nil
	}
	settings := &cluster.Settings
	out := &v1alpha1.NodeNetworks{
		ObjectMeta: metav1.ObjectMeta{Name: p.Node, Labels: map[string]string{model.LabelGenerated: "true", LabelManagedBy: model.FieldManager}},
		Spec: v1alpha1.NodeNetworksSpec{
			NodeUID:        types.UID(around.UID),
			Addresses:      cidrs(around.Addresses),
			Gateway:        around.Gateway,
			GatewayProblem: phrase.Cut(around.GatewayProblem, maxProblem),
			Reserved: v1alpha1.ReservedSubnets{
				Services: cidrs(settings.ServiceSubnets), APIServer: ips(cluster.APIServer), Masquerade: cidrs(around.Masquerade), Transit: cidrs(around.Transit),
			},
			Networks: make([]v1alpha1.NodeNetwork, 0, len(p.Networks)),
		},
	}
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeNetworks"))
	var join []netip.Prefix
	for i := range p.Networks {
		n := &p.Networks[i]
		join = append(join, n.JoinSubnets...)
		out.Spec.Networks = append(out.Spec.Networks, nodeNetwork(n, settings))
	}
	slices.SortFunc(join, netip.Prefix.Compare)
	out.Spec.Reserved.Join = cidrs(slices.Compact(join))
	for _, v := range p.VTEPs {
		out.Spec.VTEPs = append(out.Spec.VTEPs, nodeVTEP(v))
	}
	return out
}

func nodeVTEP(v model.NodeVTEP) v1alpha1.NodeVTEP {
	out := v1alpha1.NodeVTEP{Name: v.Name, Problem: phrase.Cut(v.Problem, maxProblem)}
	if v.Address.IsValid() {
		out.Addresses = ips([]netip.Addr{v.Address})
	}
	out.Allocated = ips(v.Allocated)
	return out
}

func nodeEVPN(n *model.NodeNetwork) *v1alpha1.NodeNetworkEVPN {
	t := n.Tunnel
	if t == nil {
		return nil
	}
	out := &v1alpha1.NodeNetworkEVPN{VTEP: t.VTEP, MACVRF: nodeVPN(t.MACVRF), IPVRF: nodeVPN(t.IPVRF)}
	if t.MACVRF != nil && n.EVPN != nil {
		out.Gateways = ips(n.EVPN.Gateways)
	}
	return out
}

func nodeVPN(v *model.VPN) *v1alpha1.NodeVPN {
	if v == nil {
		return nil
	}
	return &v1alpha1.NodeVPN{
		VNI: int32(v.VNI), //nolint:gosec // VNIs have 24 bits
		VID: int32(v.VID), RouteTarget: v.RouteTarget,
	}
}

func nodeNetwork(n *model.NodeNetwork, settings *model.Settings) v1alpha1.NodeNetwork {
	out := v1alpha1.NodeNetwork{
		Name: n.Name, Topology: string(n.Topology), Transport: string(n.Transport),
		ID:           int32(n.ID), //nolint:gosec // OVN-Kubernetes numbers at most 4,096 networks
		VRF:          n.VRF,
		HostSubnets:  cidrs(n.HostSubnets),
		Uplink:       n.Uplink,
		AdvertisedIn: vrfNames(n.AdvertisedIn),
		OwnVRFOnly:   n.OwnVRFOnly,
		PodVRFs:      vrfNames(n.PodVRFs),
		EVPN:         nodeEVPN(n),
	}
	if n.IsDefault() {
		out.Topology = string(model.TopologyLayer3)
	}
	if n.Uplink != "" {
		out.UplinkGateway = n.Gateway
	}
	for _, problem := range []*model.Problem{n.Problem, n.VRFProblem} {
		if problem != nil {
			out.Problem = phrase.Cut(problem.Message, maxProblem)
			break
		}
	}
	subnets := n.Subnets
	if n.IsDefault() && len(subnets) == 0 {
		subnets = settings.ClusterSubnets
	}
	for _, s := range subnets {
		out.Subnets = append(out.Subnets, v1alpha1.CIDR(s.Prefix.String()))
	}
	return out
}

func cidrs(prefixes []netip.Prefix) []v1alpha1.CIDR {
	if len(prefixes) == 0 {
		return nil
	}
	out := make([]v1alpha1.CIDR, len(prefixes))
	for i, p := range prefixes {
		out[i] = v1alpha1.CIDR(p.String())
	}
	return out
}

func ips(addresses []netip.Addr) []v1alpha1.IP {
	if len(addresses) == 0 {
		return nil
	}
	out := make([]v1alpha1.IP, len(addresses))
	for i, a := range addresses {
		out[i] = v1alpha1.IP(a.String())
	}
	return out
}

func vrfNames(vrfs []string) []v1alpha1.VRFName {
	if len(vrfs) == 0 {
		return nil
	}
	out := make([]v1alpha1.VRFName, len(vrfs))
	for i, vrf := range vrfs {
		if out[i] = v1alpha1.VRFName(vrf); vrf == "" {
			out[i] = model.DefaultVRF
		}
	}
	return out
}

// NetworksHash distinguishes a node's objects as Hash does for FRRConfigurations.
func NetworksHash(o *v1alpha1.NodeNetworks) uint64 {
	h := newHasher()
	defer h.release()
	h.value(reflect.ValueOf(&o.Spec).Elem())
	for _, key := range [...]string{model.LabelGenerated, LabelManagedBy} {
		h.entry(o.Labels, key)
	}
	return h.sum()
}
