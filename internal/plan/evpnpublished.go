package plan

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// tunnelOf is how the node reaches the fabric by EVPN for a network, as far as its parts
// have it: what is planned for it, or stays.
func tunnelOf(network *model.Network, parts []model.NodePart) *model.Tunnel {
	if network.Transport != model.TransportEVPN {
		return nil
	}
	var out *model.Tunnel
	for i := range parts {
		if !parts[i].State.Stands() {
			continue
		}
		for j := range parts[i].Tunnels {
			t := &parts[i].Tunnels[j]
			if t.Network != network.Name {
				continue
			}
			if out == nil {
				out = &model.Tunnel{Network: t.Network, VTEP: t.VTEP}
			}
			// One object may have an IP-VRF that another one could not add.
			out.MACVRF, out.IPVRF = cmp.Or(out.MACVRF, t.MACVRF), cmp.Or(out.IPVRF, t.IPVRF)
		}
	}
	return out
}

// VTEPs are those that the networks of a node's parts use there, sorted by name. What
// became of the parts doesn't matter: an object may be held back for the very lack of one.
func VTEPs(parts []model.NodePart) []model.NodeVTEP {
	var out []model.NodeVTEP
	for i := range parts {
		out = append(out, parts[i].VTEPs...)
	}
	slices.SortStableFunc(out, func(a, b model.NodeVTEP) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b model.NodeVTEP) bool { return a.Name == b.Name })
}
