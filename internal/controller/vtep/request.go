package vtep

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/allocation"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

type addr = netip.Addr

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// request is what there is to give out, and who has what.
func (r *Reconciler) request(found *gathered, published map[string]*metav1.PartialObjectMetadata) *allocation.Request {
	out := &allocation.Request{Pools: pools(found.vteps)}
	nodes := map[string]bool{}
	for i := range found.nodes {
		n := &found.nodes[i]
		nodes[n.Name] = true
		node := allocation.Node{Name: n.Name, Created: n.CreationTimestamp.Time}
		node.Held, node.Sure = r.heldBy(n.Name, published[n.Name])
		node.Own = ownOf(n, node.Held, found.vteps)
		out.Taken = append(out.Taken, snapshot.Host(n).Addresses...)
		out.Nodes = append(out.Nodes, node)
	}
	// A node is gone only once nothing of it is left: until then it may have its address.
	for name, object := range published {
		if !nodes[name] {
			node := allocation.Node{Name: name, Gone: true}
			node.Held, node.Sure = r.heldBy(name, object)
			out.Nodes = append(out.Nodes, node)
		}
	}
	for _, name := range sortedKeys(r.decided) {
		if !nodes[name] && published[name] == nil {
			r.rest(r.decided[name], nil)
		}
	}
	out.Resting = r.resting
	return out
}

// heldBy is what a node was given. What was decided counts, and not what somebody made of
// it since.
func (r *Reconciler) heldBy(node string, object *metav1.PartialObjectMetadata) (held map[string][]addr, sure bool) {
	if decided, known := r.decided[node]; known {
		return decided, true
	}
	if object == nil {
		return nil, false
	}
	return snapshot.Allocations(object), false
}

// ownOf is what a node has of VTEPs without having been given it. Of what it tells, only
// so much is believed as a node can have of its own: of a VTEP with mode Unmanaged, an
// address of each family within the ranges.
func ownOf(n *corev1.Node, held map[string][]addr, vteps []ovnv1.VTEP) map[string][]addr {
	all, err := ovnk.ParseVTEPs(n.Annotations[ovnk.AnnotationVTEPs])
	if err != nil {
		return nil
	}
	out := map[string][]addr{}
	for i := range vteps {
		v := &vteps[i]
		if v.Spec.Mode != ovnv1.VTEPModeUnmanaged {
			continue
		}
		cidrs := ranges(v)
		for _, family := range [...]func(addr) bool{addr.Is4, addr.Is6} {
			at := slices.IndexFunc(all[v.Name], family)
			if at < 0 || slices.Contains(held[v.Name], all[v.Name][at]) {
				continue
			}
			if own := all[v.Name][at]; slices.ContainsFunc(cidrs, func(c netip.Prefix) bool { return c.Contains(own) }) {
				out[v.Name] = append(out[v.Name], own)
			}
		}
	}
	return out
}

// pools are the VTEPs of which nodes are given addresses.
func pools(vteps []ovnv1.VTEP) []allocation.Pool {
	var out []allocation.Pool
	keeper := snapshot.VTEPKeeper(vteps)
	for i := range vteps {
		v := &vteps[i]
		if !snapshot.Allocates(v, keeper) {
			continue
		}
		p := allocation.Pool{VTEP: v.Name, CIDRs: ranges(v)}
		for j := range vteps {
			if j != i {
				p.Others = append(p.Others, ranges(&vteps[j])...)
			}
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b allocation.Pool) int { return cmp.Compare(a.VTEP, b.VTEP) })
	return out
}

// ranges are the VTEP's CIDRs in their order. The CRD refuses what is none.
func ranges(v *ovnv1.VTEP) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range v.Spec.CIDRs {
		if p, err := netip.ParsePrefix(string(text)); err == nil && !p.Addr().Is4In6() {
			out = append(out, p.Masked())
		}
	}
	return out
}
