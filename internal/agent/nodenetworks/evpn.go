package nodenetworks

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// vtep is what the node has of a VTEP.
type vtep struct {
	// endpoint is not valid where there is none.
	endpoint netip.Addr
	problem  string
	// allocated are the addresses that the manager gave to the node.
	allocated []netip.Addr
}

func (p *parser) vteps(list []v1alpha1.NodeVTEP) map[string]vtep {
	out := make(map[string]vtep, len(list))
	for i := range list {
		v := vtep{problem: list[i].Problem}
		for _, address := range p.addresses(fmt.Sprintf("vteps[%s].addresses", list[i].Name), list[i].Addresses) {
			// Tunnels run over IPv4 only.
			if address.Is4() && !v.endpoint.IsValid() {
				v.endpoint = address
			}
		}
		v.allocated = p.addresses(fmt.Sprintf("vteps[%s].allocated", list[i].Name), list[i].Allocated)
		out[list[i].Name] = v
	}
	return out
}

func (p *parser) gateways(field string, e *v1alpha1.NodeNetworkEVPN) []netip.Addr {
	if e == nil {
		return nil
	}
	return p.addresses(field, e.Gateways)
}

// evpnOf is the network's EVPN on the node. A VTEP that the manager doesn't name has no
// endpoint, which is for the network's state to tell.
func (d *Decision) evpnOf(n *network) *agent.EVPN {
	if n.EVPN == nil {
		return nil
	}
	return &agent.EVPN{
		Allocated: slices.Contains(d.vteps[n.EVPN.VTEP].allocated, d.vteps[n.EVPN.VTEP].endpoint),
		VTEP:      n.EVPN.VTEP, Endpoint: d.vteps[n.EVPN.VTEP].endpoint,
		Gateways: n.gateways, MACVRF: vpnOf(n.EVPN.MACVRF), IPVRF: vpnOf(n.EVPN.IPVRF), Problem: n.Problem,
	}
}

func vpnOf(v *v1alpha1.NodeVPN) *model.VPN {
	if v == nil {
		return nil
	}
	return &model.VPN{VNI: uint32(v.VNI), VID: uint16(v.VID), RouteTarget: v.RouteTarget} //nolint:gosec // the CRD has both within their bounds
}

// given are the addresses that the manager gave to the node, by VTEP.
func (d *Decision) given() map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for name, v := range d.vteps {
		if len(v.allocated) > 0 {
			out[name] = v.allocated
		}
	}
	return out
}

// vtepProblems say which VTEPs the node has no address of, and why, sorted by name.
func (d *Decision) vtepProblems() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(d.vteps)) {
		if v := d.vteps[name]; v.problem != "" {
			out = append(out, fmt.Sprintf("VTEP %q: %s", name, v.problem))
		}
	}
	return out
}
