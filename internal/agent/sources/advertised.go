package sources

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// advertisement is how a network's pods are advertised. The default network has
// no CUDN, and its own VRF is the default one.
type advertisement struct {
	// yes is set where they are: SNAT must not change before neighbors know
	// the way back, so that only what is accepted counts.
	yes bool
	// elsewhere is set where that is over another VRF than the network's own;
	// ownVRFOnly where they are meant to be in their own alone, which makes it
	// VRF-Lite. Only what is accepted opens a VRF, but an object that isn't
	// accepted while somebody edits it still closes it.
	elsewhere, ownVRFOnly bool
}

func advertised(view *View, cudn *ovnv1.ClusterUserDefinedNetwork, vrf string) advertisement {
	var out advertisement
	own := false
	for i := range view.RouteAdvertisements {
		ra := &view.RouteAdvertisements[i]
		if !advertisesPods(ra) || !selects(ra, cudn) {
			continue
		}
		out.yes = out.yes || accepted(ra)
		if target := ra.Spec.TargetVRF; target == ovnv1.TargetVRFAuto || vrf != "" && target == vrf {
			own = true
		} else {
			out.elsewhere = out.elsewhere || accepted(ra)
		}
	}
	out.elsewhere = out.elsewhere && cudn != nil
	out.ownVRFOnly = own && !out.elsewhere && cudn != nil
	return out
}

func accepted(ra *ovnv1.RouteAdvertisements) bool {
	for _, c := range ra.Status.Conditions {
		if c.Type == ovnv1.RouteAdvertisementsAccepted {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

func advertisesPods(ra *ovnv1.RouteAdvertisements) bool {
	for _, a := range ra.Spec.Advertisements {
		if a == ovnv1.AdvertisePodNetwork {
			return true
		}
	}
	return false
}

func selects(ra *ovnv1.RouteAdvertisements, cudn *ovnv1.ClusterUserDefinedNetwork) bool {
	for i := range ra.Spec.NetworkSelectors {
		s := &ra.Spec.NetworkSelectors[i]
		switch {
		case s.NetworkSelectionType == ovnv1.DefaultNetwork && cudn == nil:
			return true
		case s.NetworkSelectionType == ovnv1.ClusterUserDefinedNetworks && cudn != nil && s.ClusterUserDefinedNetworkSelector != nil:
			selector, err := metav1.LabelSelectorAsSelector(&s.ClusterUserDefinedNetworkSelector.NetworkSelector)
			if err == nil && selector.Matches(implicit(cudn)) {
				return true
			}
		}
	}
	return false
}

// implicit are the labels that the planner selects networks by: their own, and
// their name as kubernetes.io/metadata.name.
func implicit(cudn *ovnv1.ClusterUserDefinedNetwork) labels.Set {
	out := labels.Set{}
	maps.Copy(out, cudn.Labels)
	out[model.LabelName] = cudn.Name
	return out
}
