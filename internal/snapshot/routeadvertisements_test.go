package snapshot

import (
	"testing"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestRouteAdvertisement(t *testing.T) {
	for _, row := range []struct {
		name, manifest string
		wanted         model.RouteAdvertisement
	}{
		{name: "everything", manifest: `
metadata: {name: a, creationTimestamp: "2026-01-02T03:04:05Z", generation: 7}
spec:
  targetVRF: auto
  nodeSelector: {matchLabels: {p: "1"}}
  frrConfigurationSelector: {matchLabels: {f: "1"}}
  networkSelectors:
  - {networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {networkSelector: {matchLabels: {c: "1"}}}}
  - {networkSelectionType: DefaultNetwork}
  advertisements: [PodNetwork, EgressIP]`,
			wanted: model.RouteAdvertisement{
				Name: "a", Created: at("2026-01-02T03:04:05Z"), Generation: 7, TargetVRF: model.TargetVRFAuto,
				NodeSelector: model.Selector{in("p", "1")}, TemplateSelector: model.Selector{in("f", "1")},
				SelectsDefaultNetwork: true, NetworkSelectors: []model.Selector{{in("c", "1")}},
				Advertisements: []model.Advertisement{model.AdvertiseEgressIP, model.AdvertisePodNetwork},
			}},
		{name: "default VRF by name", manifest: `{metadata: {name: a}, spec: {targetVRF: default, advertisements: [EgressIP]}}`,
			wanted: model.RouteAdvertisement{Name: "a", Advertisements: []model.Advertisement{model.AdvertiseEgressIP}}},
		{name: "a VRF", manifest: `{metadata: {name: a}, spec: {targetVRF: extranet}}`, wanted: model.RouteAdvertisement{Name: "a", TargetVRF: "extranet"}},
		{name: "all networks", manifest: `
metadata: {name: a}
spec: {networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {networkSelector: {}}}]}`,
			wanted: model.RouteAdvertisement{Name: "a", NetworkSelectors: []model.Selector{nil}}},
		{name: "unsupported networks", manifest: `
metadata: {name: a}
spec: {networkSelectors: [{networkSelectionType: DefaultNetwork}, {networkSelectionType: PrimaryUserDefinedNetworks, primaryUserDefinedNetworkSelector: {namespaceSelector: {}}}]}`,
			wanted: model.RouteAdvertisement{Name: "a", SelectsDefaultNetwork: true, Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidNetworkSelector",
				Message: `spec.networkSelectors[1] is of type "PrimaryUserDefinedNetworks", which can't be advertised: use DefaultNetwork or ClusterUserDefinedNetworks`}}},
		{name: "type without its selector", manifest: `{metadata: {name: a}, spec: {networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks}]}}`,
			wanted: model.RouteAdvertisement{Name: "a", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidNetworkSelector",
				Message: "spec.networkSelectors[0] has no clusterUserDefinedNetworkSelector: add it; an empty networkSelector in it selects all ClusterUserDefinedNetworks"}}},
		{name: "unknown advertisement", manifest: `{metadata: {name: a}, spec: {advertisements: [PodNetwork, Pods]}}`,
			wanted: model.RouteAdvertisement{Name: "a", Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidAdvertisement",
				Message: `spec.advertisements has "Pods", which is unknown: use PodNetwork, EgressIP or both`}}},
		{name: "bad selector", manifest: `
metadata: {name: a}
spec: {networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {networkSelector: {matchExpressions: [{key: x, operator: In}]}}}]}`,
			wanted: model.RouteAdvertisement{Name: "a", NetworkSelectors: []model.Selector{nil}, Problem: &model.Problem{Outcome: model.Invalid, Reason: "InvalidSelector",
				Message: `spec.networkSelectors[0].clusterUserDefinedNetworkSelector.networkSelector can't be used: operator In for key "x" needs values: add some, or use Exists or DoesNotExist`}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ra := object[ovnv1.RouteAdvertisements](t, row.manifest)
			same(t, routeAdvertisement(&ra, nil), row.wanted)
		})
	}
}

func TestForeignController(t *testing.T) {
	const written = `managedFields: [{manager: clustermanager-routeadvertisements-controller, operation: Apply, subresource: status}]`
	for _, row := range []struct{ name, manifest, wanted string }{
		{name: "nobody", manifest: `{RouteAdvertisements: [{metadata: {name: a}}], FRRConfigurations: [{metadata: {name: x, namespace: frr}}]}`},
		{name: "label", manifest: `
RouteAdvertisements: [{metadata: {name: a}}]
FRRConfigurations:
- {metadata: {name: template, namespace: frr}}
- {metadata: {name: ovnk-generated-2, namespace: frr, labels: {k8s.ovn.org/route-advertisements: a}}}
- {metadata: {name: ovnk-generated-1, namespace: frr, labels: {k8s.ovn.org/route-advertisements: a}}}
- {metadata: {name: ovnk-generated-0, namespace: frr, labels: {k8s.ovn.org/route-advertisements: b}}}`,
			wanted: "FRRConfiguration frr/ovnk-generated-1 is OVN-Kubernetes' own for it"},
		{name: "annotation", manifest: `
RouteAdvertisements: [{metadata: {name: a}}]
FRRConfigurations:
- {metadata: {name: template, namespace: frr}}
- {metadata: {name: ovnk-generated-2, namespace: frr, annotations: {k8s.ovn.org/route-advertisements: a/provider/n1}}}`,
			wanted: "FRRConfiguration frr/ovnk-generated-2 is OVN-Kubernetes' own for it"},
		{name: "in a namespace without templates, as anybody may write it", manifest: `
RouteAdvertisements: [{metadata: {name: a}}]
FRRConfigurations:
- {metadata: {name: template, namespace: frr}}
- {metadata: {name: ovnk-generated-2, namespace: tenant, annotations: {k8s.ovn.org/route-advertisements: a/provider/n1}}}`},
		{name: "label on what OVN-Kubernetes did not make", manifest: `
RouteAdvertisements: [{metadata: {name: a}}]
FRRConfigurations: [{metadata: {name: mine, namespace: frr, labels: {k8s.ovn.org/route-advertisements: a}}}]`},
		{name: "status", manifest: `{RouteAdvertisements: [{metadata: {name: a, ` + written + `}}]}`,
			wanted: `its status is written by "clustermanager-routeadvertisements-controller"`},
		{name: "spec only", manifest: `{RouteAdvertisements: [{metadata: {name: a, managedFields: [{manager: clustermanager-routeadvertisements-controller, operation: Update}]}}]}`},
		{name: "our status", manifest: `{RouteAdvertisements: [{metadata: {name: a, managedFields: [{manager: ovn-bgp-operator, operation: Apply, subresource: status}]}}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := Cluster(object[*Objects](t, row.manifest), settings)
			same(t, c.RouteAdvertisements[0].ForeignController, row.wanted)
		})
	}
}

func TestRouteAdvertisementsBeingDeletedEndAtOnce(t *testing.T) {
	c := Cluster(object[*Objects](t, `{RouteAdvertisements: [{metadata: {name: a, deletionTimestamp: "2026-01-02T03:04:05Z", finalizers: [x]}}]}`), settings)
	same(t, c.RouteAdvertisements, []model.RouteAdvertisement(nil))
}
