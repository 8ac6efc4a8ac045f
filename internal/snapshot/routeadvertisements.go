package snapshot

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func routeAdvertisement(ra *ovnv1.RouteAdvertisements, foreign map[string]string) model.RouteAdvertisement {
	out := model.RouteAdvertisement{
		Name: ra.Name, Created: ra.CreationTimestamp.Time, Generation: ra.Generation,
		TargetVRF:         ra.Spec.TargetVRF,
		ForeignController: foreignController(ra, foreign),
	}
	out.AcceptedElsewhere = out.ForeignController != "" && Accepted(ra)
	if out.TargetVRF == ovnv1.TargetVRFDefault {
		out.TargetVRF = ""
	}
	note := func(problem *model.Problem) {
		if out.Problem == nil {
			out.Problem = problem
		}
	}
	selects := func(s *metav1.LabelSelector, field string) model.Selector {
		converted, problem := selector(s, field)
		note(problem)
		return converted
	}
	out.NodeSelector = selects(&ra.Spec.NodeSelector, "spec.nodeSelector")
	out.TemplateSelector = selects(&ra.Spec.FRRConfigurationSelector, "spec.frrConfigurationSelector")
	for i := range ra.Spec.NetworkSelectors {
		s := &ra.Spec.NetworkSelectors[i]
		switch {
		case s.NetworkSelectionType == ovnv1.DefaultNetwork:
			out.SelectsDefaultNetwork = true
		case s.NetworkSelectionType == ovnv1.ClusterUserDefinedNetworks && s.ClusterUserDefinedNetworkSelector != nil:
			field := fmt.Sprintf("spec.networkSelectors[%d].clusterUserDefinedNetworkSelector.networkSelector", i)
			out.NetworkSelectors = append(out.NetworkSelectors, selects(&s.ClusterUserDefinedNetworkSelector.NetworkSelector, field))
		default:
			note(networkSelectorProblem(s, i))
		}
	}
	var problem *model.Problem
	out.Advertisements, problem = advertisements(ra.Spec.Advertisements)
	note(problem)
	return out
}

// Accepted reports whether the object's status says so, whoever wrote it.
func Accepted(ra *ovnv1.RouteAdvertisements) bool {
	return meta.IsStatusConditionTrue(ra.Status.Conditions, ovnv1.RouteAdvertisementsAccepted)
}

// networkSelectorProblem is for what CEL rejects on an API server, but what
// files may have.
func networkSelectorProblem(s *ovnv1.NetworkSelector, index int) *model.Problem {
	if s.NetworkSelectionType == ovnv1.ClusterUserDefinedNetworks {
		return finding.SelectorMissing(index)
	}
	return finding.NetworkTypeUnsupported(index, string(s.NetworkSelectionType))
}

func advertisements(kinds []ovnv1.AdvertisementType) ([]model.Advertisement, *model.Problem) {
	out := make([]model.Advertisement, 0, len(kinds))
	for _, kind := range kinds {
		switch kind {
		case ovnv1.AdvertisePodNetwork:
			out = append(out, model.AdvertisePodNetwork)
		case ovnv1.AdvertiseEgressIP:
			out = append(out, model.AdvertiseEgressIP)
		default:
			return nil, finding.InvalidAdvertisement(string(kind))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
