package sources

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// advertised tells whether a network's pods are advertised, and whether that
// is in the network's own VRF alone, which makes it VRF-Lite. The default
// network has no CUDN. Only what is accepted counts, because SNAT must not
// change before neighbors know the way back.
func advertised(view *View, cudn *ovnv1.ClusterUserDefinedNetwork, vrf string) (yes, ownVRFOnly bool) {
	ownVRFOnly = true
	for i := range view.RouteAdvertisements {
		ra := &view.RouteAdvertisements[i]
		if !accepted(ra) || !advertisesPods(ra) || !selects(ra, cudn) {
			continue
		}
		yes = true
		if target := ra.Spec.TargetVRF; target != ovnv1.TargetVRFAuto && (vrf == "" || target != vrf) {
			ownVRFOnly = false
		}
	}
	return yes, yes && ownVRFOnly && cudn != nil
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
	out := labels.Set{model.LabelName: cudn.Name}
	for key, value := range cudn.Labels {
		out[key] = value
	}
	return out
}
