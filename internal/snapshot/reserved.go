package snapshot

import (
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// APIServerEndpoints names the EndpointSlice that the API server keeps of itself.
var APIServerEndpoints = types.NamespacedName{Namespace: "default", Name: "kubernetes"}

// APIServerAddresses are those that the API server says it is reached at, sorted;
// none if the EndpointSlice is another's.
func APIServerAddresses(slice *discoveryv1.EndpointSlice) []netip.Addr {
	if client.ObjectKeyFromObject(slice) != APIServerEndpoints {
		return nil
	}
	var out []netip.Addr
	for i := range slice.Endpoints {
		for _, text := range slice.Endpoints[i].Addresses {
			if address, err := netip.ParseAddr(text); err == nil {
				out = append(out, address.Unmap())
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

func apiServer(all []discoveryv1.EndpointSlice) []netip.Addr {
	for i := range all {
		if addresses := APIServerAddresses(&all[i]); len(addresses) > 0 {
			return addresses
		}
	}
	return nil
}

// serviceSubnets are those from the operator's flags and the cluster's own, sorted.
// One that is being deleted counts: it stays until no Service has an address of it.
func serviceSubnets(told []netip.Prefix, cidrs []networkingv1.ServiceCIDR) []netip.Prefix {
	out := slices.Clone(told)
	for i := range cidrs {
		for _, text := range cidrs[i].Spec.CIDRs {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				out = append(out, prefix.Masked())
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}
