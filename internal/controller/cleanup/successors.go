package cleanup

import (
	"cmp"
	"fmt"
	"net/netip"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// successors are objects that may do what one of ours does.
type successors []*frrk8sv1beta1.FRRConfiguration

// miss tells the first thing that o does on its node and no successor does
// there: originate a prefix, advertise it to a neighbor, or import a VRF.
func (s successors) miss(o *frrk8sv1beta1.FRRConfiguration) error {
	done := map[deed]bool{}
	for _, other := range s {
		if other.Namespace != o.Namespace || other.DeletionTimestamp != nil || !selects(other, o) {
			continue
		}
		for _, d := range deedsOf(other) {
			done[d] = true
		}
	}
	for _, d := range deedsOf(o) {
		if !done[d] {
			return fmt.Errorf("it stays, as on its node OVN-Kubernetes' own controller does not %s yet", d)
		}
	}
	return nil
}

// selects tells whether an object selects the node that ours is for, of which
// no more than the hostname label counts: OVN-Kubernetes selects by that, too.
func selects(other, ours *frrk8sv1beta1.FRRConfiguration) bool {
	selector, err := metav1.LabelSelectorAsSelector(&other.Spec.NodeSelector)
	hostname := ours.Spec.NodeSelector.MatchLabels[model.LabelHostname]
	return err == nil && hostname != "" && selector.Matches(labels.Set{model.LabelHostname: hostname})
}

// deed is one thing that an object has FRR do in a VRF: originate a prefix,
// advertise it to a neighbor where there is one, or import another VRF.
type deed struct {
	vrf, neighbor, prefix, imported string
}

func (d deed) String() string {
	vrf := cmp.Or(d.vrf, model.DefaultVRF)
	switch {
	case d.imported != "":
		return fmt.Sprintf("import VRF %s into VRF %s", d.imported, vrf)
	case d.neighbor != "":
		return fmt.Sprintf("advertise %s to %s in VRF %s", d.prefix, d.neighbor, vrf)
	default:
		return fmt.Sprintf("originate %s in VRF %s", d.prefix, vrf)
	}
}

func deedsOf(o *frrk8sv1beta1.FRRConfiguration) (out []deed) {
	for i := range o.Spec.BGP.Routers {
		r := &o.Spec.BGP.Routers[i]
		for _, p := range r.Prefixes {
			out = append(out, deed{vrf: r.VRF, prefix: canonical(p)})
		}
		for _, v := range r.Imports {
			out = append(out, deed{vrf: r.VRF, imported: cmp.Or(v.VRF, model.DefaultVRF)})
		}
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			allowed := n.ToAdvertise.Allowed.Prefixes
			if n.ToAdvertise.Allowed.Mode == frrk8sv1beta1.AllowAll {
				allowed = r.Prefixes
			}
			for _, p := range allowed {
				out = append(out, deed{vrf: r.VRF, neighbor: cmp.Or(n.Address, n.Interface), prefix: canonical(p)})
			}
		}
	}
	return out
}

// canonical makes two spellings of a prefix one.
func canonical(text string) string {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked().String()
	}
	return text
}
