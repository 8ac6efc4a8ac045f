package snapshot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// networks are the default network and every ClusterUserDefinedNetwork, those
// included that can't be advertised: a selector may match them.
func networks(objs *Objects, settings model.Settings) []model.Network {
	out := make([]model.Network, 0, len(objs.CUDNs)+1)
	ids := networkIDs{objs: objs}
	for i := range objs.CUDNs {
		out = append(out, network(&objs.CUDNs[i], &ids))
	}
	slices.SortFunc(out, func(a, b model.Network) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Insert(out, 0, defaultNetwork(objs, settings))
}

func network(cudn *ovnv1.ClusterUserDefinedNetwork, ids *networkIDs) model.Network {
	spec := &cudn.Spec.Network
	out := model.Network{
		Name: ovnk.NetworkName(cudn.Name), CUDN: cudn.Name, Created: cudn.CreationTimestamp.Time,
		Labels:         withName(cudn.Labels, cudn.Name),
		Topology:       model.Topology(spec.Topology),
		Transport:      model.Transport(spec.Transport),
		ManagedRouting: managesRouting(cudn),
	}
	if len(cudn.Spec.Uplinks) > 0 {
		out.Uplink = cudn.Spec.Uplinks[0]
	}
	out.NamespaceSelector, out.Problem = selector(&cudn.Spec.NamespaceSelector, fmt.Sprintf("ClusterUserDefinedNetwork %q: spec.namespaceSelector", cudn.Name))
	role, subnets, fault := addressing(spec)
	out.Primary = role == ovnv1.NetworkRolePrimary
	out.Subnets = subnets
	if fault != "" && out.Problem == nil {
		out.Problem = finding.InvalidNetwork(cudn.Name, fault)
	}
	if out.EVPN, fault = ids.networkEVPN(cudn); fault != "" && out.Problem == nil {
		out.Problem = finding.InvalidNetwork(cudn.Name, fault)
	}
	if out.Primary {
		out.VRF, out.VRFProblem = ids.vrf(cudn)
		out.ID = ids.published(out.Name)
		out.JoinSubnets = joinSubnets(spec)
	}
	return out
}

// addressing reads the block that belongs to the topology; fault is what is
// wrong with it.
func addressing(spec *ovnv1.NetworkSpec) (role ovnv1.NetworkRole, subnets []model.NetworkSubnet, fault string) {
	switch {
	case spec.Topology == ovnv1.NetworkTopologyLayer3 && spec.Layer3 != nil:
		subnets, fault = layer3Subnets(spec.Layer3.Subnets)
		return spec.Layer3.Role, subnets, fault
	case spec.Topology == ovnv1.NetworkTopologyLayer2 && spec.Layer2 != nil:
		subnets, fault = wholeSubnets("spec.network.layer2.subnets", spec.Layer2.Subnets)
		return spec.Layer2.Role, subnets, fault
	case spec.Topology == ovnv1.NetworkTopologyLocalnet && spec.Localnet != nil:
		subnets, fault = wholeSubnets("spec.network.localnet.subnets", spec.Localnet.Subnets)
		return spec.Localnet.Role, subnets, fault
	default:
		return "", nil, fmt.Sprintf("spec.network has topology %q without the block that belongs to it: add it", spec.Topology)
	}
}

// joinSubnets leaves out what the CRD's validation would have refused.
func joinSubnets(spec *ovnv1.NetworkSpec) []netip.Prefix {
	var cidrs []ovnv1.CIDR
	switch {
	case spec.Layer3 != nil:
		cidrs = spec.Layer3.JoinSubnets
	case spec.Layer2 != nil:
		cidrs = spec.Layer2.JoinSubnets
	}
	var out []netip.Prefix
	for _, cidr := range cidrs {
		if prefix, fault := subnet("", cidr); fault == "" {
			out = append(out, prefix)
		}
	}
	return out
}

func layer3Subnets(in []ovnv1.Layer3Subnet) ([]model.NetworkSubnet, string) {
	out := make([]model.NetworkSubnet, 0, len(in))
	for i := range in {
		field := fmt.Sprintf("spec.network.layer3.subnets[%d]", i)
		prefix, fault := subnet(field+".cidr", in[i].CIDR)
		if fault != "" {
			return nil, fault
		}
		length := int(in[i].HostSubnet)
		if length == 0 {
			length = ovnk.DefaultHostLength(prefix.Addr())
		}
		if length <= prefix.Bits() || length >= prefix.Addr().BitLen() {
			return nil, fmt.Sprintf("%s: nodes can't get subnets of length %d out of %s: set hostSubnet to a length between %d and %d",
				field, length, prefix, prefix.Bits()+1, prefix.Addr().BitLen()-1)
		}
		out = append(out, model.NetworkSubnet{Prefix: prefix, HostLength: length})
	}
	sortSubnets(out)
	return out, ""
}

func wholeSubnets(field string, in ovnv1.DualStackCIDRs) ([]model.NetworkSubnet, string) {
	out := make([]model.NetworkSubnet, 0, len(in))
	for i := range in {
		prefix, fault := subnet(fmt.Sprintf("%s[%d]", field, i), in[i])
		if fault != "" {
			return nil, fault
		}
		out = append(out, model.NetworkSubnet{Prefix: prefix})
	}
	sortSubnets(out)
	return out, ""
}

func subnet(field string, cidr ovnv1.CIDR) (netip.Prefix, string) {
	prefix, err := netip.ParsePrefix(string(cidr))
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Sprintf("%s: %q is not a subnet: write it as 10.10.0.0/16 or fd00:10::/48", field, cidr)
	}
	return prefix.Masked(), ""
}

func sortSubnets(subnets []model.NetworkSubnet) {
	slices.SortFunc(subnets, func(a, b model.NetworkSubnet) int {
		return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.HostLength, b.HostLength))
	})
}
