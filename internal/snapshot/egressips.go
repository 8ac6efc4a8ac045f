package snapshot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func egressIPs(objects []ovnv1.EgressIP) []model.EgressIP {
	out := make([]model.EgressIP, 0, len(objects))
	for i := range objects {
		out = append(out, egressIP(&objects[i]))
	}
	slices.SortFunc(out, func(a, b model.EgressIP) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// egressIP takes the assignments from the status; spec.egressIPs is only what
// was wished for.
func egressIP(o *ovnv1.EgressIP) model.EgressIP {
	out := model.EgressIP{Name: o.Name, Assignments: make([]model.EgressAssignment, 0, len(o.Status.Items))}
	out.NamespaceSelector, out.Problem = selector(&o.Spec.NamespaceSelector, fmt.Sprintf("EgressIP %q: spec.namespaceSelector", o.Name))
	for i := range o.Status.Items {
		item := &o.Status.Items[i]
		address, err := netip.ParseAddr(item.EgressIP)
		if err != nil || address.Zone() != "" {
			out.ItemProblems = append(out.ItemProblems, *finding.InvalidEgressIP(o.Name, i, item.EgressIP, item.Node))
			continue
		}
		out.Assignments = append(out.Assignments, model.EgressAssignment{Node: item.Node, Address: address.Unmap()})
	}
	slices.SortFunc(out.Assignments, func(a, b model.EgressAssignment) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), a.Address.Compare(b.Address))
	})
	out.Assignments = slices.Compact(out.Assignments)
	return out
}
