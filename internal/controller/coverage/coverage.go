// Package coverage checks whether OVN-Kubernetes' own RouteAdvertisements controller
// does on a node what the operator does there, so that one of the two can stop without
// a moment in which neither advertises.
//
// It must never decide which of the two stops.
package coverage

import (
	"cmp"
	"fmt"
	"net/netip"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// Others are objects of OVN-Kubernetes' own controller, which may do what one of
// ours does.
type Others []*frrk8sv1beta1.FRRConfiguration

// In returns those of all FRRConfigurations that OVN-Kubernetes' own controller
// generated, other than for the operator's managed RouteAdvertisements object.
func In(all []frrk8sv1beta1.FRRConfiguration) Others {
	var out Others
	for i := range all {
		if o := &all[i]; !apply.Owned(o) && snapshot.IsGenerated(o) && snapshot.GeneratedFor(o) != model.ManagedName {
			out = append(out, o)
		}
	}
	return out
}

// Missing names the first thing that o does on its node and none of the others does
// there: originate a prefix, advertise it to a neighbor, or import a VRF. It is nil
// when they do all of it.
func (s Others) Missing(o *frrk8sv1beta1.FRRConfiguration) error {
	done := map[announcement]bool{}
	for _, other := range s {
		if other.Namespace != o.Namespace || other.DeletionTimestamp != nil || !selects(other, o) {
			continue
		}
		for _, a := range announcementsOf(other) {
			done[a] = true
		}
	}
	for _, a := range announcementsOf(o) {
		if !done[a] {
			return fmt.Errorf("it stays, because OVN-Kubernetes' own controller does not %s on its node yet", a)
		}
	}
	return nil
}

// selects reports whether an object selects the node that ours is for. Only the
// node's hostname label counts: OVN-Kubernetes selects by that, too.
func selects(other, ours *frrk8sv1beta1.FRRConfiguration) bool {
	selector, err := metav1.LabelSelectorAsSelector(&other.Spec.NodeSelector)
	hostname := ours.Spec.NodeSelector.MatchLabels[model.LabelHostname]
	return err == nil && hostname != "" && selector.Matches(labels.Set{model.LabelHostname: hostname})
}

// announcement is one thing that an object has FRR do in a VRF: originate a prefix,
// advertise it to a neighbor where there is one, or import another VRF.
type announcement struct {
	vrf, neighbor, prefix, imported string
}

func (a announcement) String() string {
	vrf := cmp.Or(a.vrf, model.DefaultVRF)
	switch {
	case a.imported != "":
		return fmt.Sprintf("import VRF %s into VRF %s", a.imported, vrf)
	case a.neighbor != "":
		return fmt.Sprintf("advertise %s to %s in VRF %s", a.prefix, a.neighbor, vrf)
	default:
		return fmt.Sprintf("originate %s in VRF %s", a.prefix, vrf)
	}
}

func announcementsOf(o *frrk8sv1beta1.FRRConfiguration) (out []announcement) {
	for i := range o.Spec.BGP.Routers {
		r := &o.Spec.BGP.Routers[i]
		for _, p := range r.Prefixes {
			out = append(out, announcement{vrf: r.VRF, prefix: canonical(p)})
		}
		for _, v := range r.Imports {
			out = append(out, announcement{vrf: r.VRF, imported: cmp.Or(v.VRF, model.DefaultVRF)})
		}
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			allowed := n.ToAdvertise.Allowed.Prefixes
			if n.ToAdvertise.Allowed.Mode == frrk8sv1beta1.AllowAll {
				allowed = r.Prefixes
			}
			for _, p := range allowed {
				out = append(out, announcement{vrf: r.VRF, neighbor: cmp.Or(n.Address, n.Interface), prefix: canonical(p)})
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
