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

// renderedElsewhere reports whether another controller advertises what the object asks
// for.
func (a *advertiser) renderedElsewhere() bool { return (a.aside || a.beside) && a.AcceptedElsewhere }

// elsewhere are the node's parts that another controller renders, with nothing but their
// EVPN: the devices are the same, whoever has FRR use them.
func (c *Compiled) elsewhere(n *model.Node) []model.NodePart {
	p := &nodePlanner{Compiled: c, node: n}
	var out []model.NodePart
	for _, a := range c.advertisers {
		if a.idle || len(a.evpn) == 0 || !a.renderedElsewhere() || !a.NodeSelector.Matches(n.Labels) || len(p.underlaysFor(a)) == 0 {
			continue
		}
		part := model.NodePart{RA: a.Name, State: model.PartWritten}
		for _, t := range p.tunnelsOn(a, &part) {
			part.Tunnels = append(part.Tunnels, model.Tunnel{Network: t.Name, VTEP: t.vtep.Name, MACVRF: t.EVPN.MACVRF, IPVRF: t.EVPN.IPVRF})
		}
		out = append(out, part)
	}
	return out
}

// VTEPs are those that the networks of a node's parts use there, those of networks that
// another controller renders, and those of which the operator gave it addresses, sorted by
// name. What became of the parts doesn't matter: an object may be held back for the very
// lack of one.
func (c *Compiled) VTEPs(n *model.Node, parts []model.NodePart) []model.NodeVTEP {
	var out []model.NodeVTEP
	for _, part := range slices.Concat(parts, c.elsewhere(n)) {
		out = append(out, part.VTEPs...)
	}
	for i := range c.cluster.VTEPs {
		v := &c.cluster.VTEPs[i]
		if given := n.Allocated[v.Name]; v.Allocated && len(given) > 0 {
			// Without a network to use it, it is what the node is to have.
			out = append(out, model.NodeVTEP{Name: v.Name, Address: given[0]})
		}
	}
	slices.SortStableFunc(out, func(a, b model.NodeVTEP) int { return cmp.Compare(a.Name, b.Name) })
	out = slices.CompactFunc(out, func(a, b model.NodeVTEP) bool { return a.Name == b.Name })
	for i := range out {
		if slices.ContainsFunc(c.cluster.VTEPs, func(v model.VTEP) bool { return v.Name == out[i].Name && v.Allocated }) {
			out[i].Allocated = n.Allocated[out[i].Name]
		}
	}
	return out
}

// allocatedVTEPs are those of which the operator gives nodes addresses, sorted.
func (c *Compiled) allocatedVTEPs() []string {
	var out []string
	for i := range c.cluster.VTEPs {
		if v := &c.cluster.VTEPs[i]; v.Allocated {
			out = append(out, v.Name)
		}
	}
	slices.Sort(out)
	return out
}
