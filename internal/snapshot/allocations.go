package snapshot

import (
	"fmt"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// VTEPKeeper is the evidence, as a clause, that OVN-Kubernetes' cluster manager keeps the
// cluster's VTEPs: it says which are accepted, and refuses those with mode Managed. It is
// "" where nobody does. That controller is there for all VTEPs or for none, and puts its
// finalizer on each before it says anything of it.
func VTEPKeeper(objects []ovnv1.VTEP) string {
	first := ""
	for i := range objects {
		if v := &objects[i]; slices.Contains(v.Finalizers, ovnk.VTEPFinalizer) && (first == "" || v.Name < first) {
			first = v.Name
		}
	}
	if first == "" {
		return ""
	}
	return fmt.Sprintf("VTEP %q has its finalizer %s", first, ovnk.VTEPFinalizer)
}

// Allocates reports whether the operator gives nodes addresses of the VTEP, with
// --manage-vteps. keeper is the cluster's VTEPKeeper.
func Allocates(v *ovnv1.VTEP, keeper string) bool {
	yes, _ := allocated(v, true, keeper)
	return yes
}

// allocated says whether the operator gives nodes addresses of the VTEP, and whether these
// are the ones that count. OVN-Kubernetes' node component finds what is on a device, and
// tells of it; it would undo what anybody else writes there.
func allocated(v *ovnv1.VTEP, manage bool, keeper string) (bool, model.AddressSource) {
	unmanaged := v.Spec.Mode == ovnv1.VTEPModeUnmanaged
	switch {
	case !manage, unmanaged && v.Annotations[model.AnnotationAllocate] != "true", !unmanaged && keeper != "":
		return false, model.FromNode
	case !unmanaged:
		return true, model.FromOperator
	case keeper == "":
		return true, model.FromOperatorElseNode
	default:
		return true, model.FromNode
	}
}

// Allocations are the addresses that a node's NodeNetworks say it was given. What can't be
// read is given anew.
func Allocations(o metav1.Object) map[string][]netip.Addr {
	value := o.GetAnnotations()[model.AnnotationVTEPs]
	if value == "" {
		return nil
	}
	out, err := ovnk.ParseVTEPs(value)
	if err != nil {
		return nil
	}
	return out
}

func allocations(objects []metav1.PartialObjectMetadata) map[string]map[string][]netip.Addr {
	out := make(map[string]map[string][]netip.Addr, len(objects))
	for i := range objects {
		out[objects[i].Name] = Allocations(&objects[i])
	}
	return out
}
