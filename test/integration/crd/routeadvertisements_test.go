// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// raSpec is a spec that is taken, with the given lines in place of its own.
func raSpec(changes ...string) string {
	fields := map[string]string{
		"networkSelectors":         `[{networkSelectionType: DefaultNetwork}]`,
		"nodeSelector":             `{}`,
		"frrConfigurationSelector": `{matchLabels: {use-for: fabric}}`,
		"advertisements":           `[PodNetwork]`,
	}
	for _, change := range changes {
		field, value, _ := strings.Cut(change, ": ")
		if value == "" {
			delete(fields, field)
			continue
		}
		fields[field] = value
	}
	var spec strings.Builder
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		spec.WriteString(field + ": " + fields[field] + "\n")
	}
	return spec.String()
}

var _ = Describe("RouteAdvertisements", func() {
	const ra = resource("RouteAdvertisements")
	const cudns = `{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {networkSelector: {}}}`

	DescribeTable("create", ra.creates,
		Entry("the default network", raSpec(), accepted),
		Entry("networks by label", raSpec(`networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks, `+
			`clusterUserDefinedNetworkSelector: {networkSelector: {matchLabels: {advertise: "true"}}}}]`), accepted),
		Entry("both", raSpec(`networkSelectors: [{networkSelectionType: DefaultNetwork}, `+cudns+`]`), accepted),
		Entry("targetVRF empty", raSpec(`targetVRF: ""`), accepted),
		Entry("targetVRF default", raSpec(`targetVRF: default`), accepted),
		Entry("targetVRF auto", raSpec(`targetVRF: auto`), accepted),
		Entry("targetVRF by name", raSpec(`targetVRF: tenants`), accepted),
		Entry("egress IPs", raSpec(`advertisements: [EgressIP]`), accepted),
		Entry("egress IPs of some nodes",
			raSpec(`advertisements: [EgressIP]`, `nodeSelector: {matchLabels: {egress: "true"}}`), accepted),
		Entry("both kinds", raSpec(`advertisements: [PodNetwork, EgressIP]`), accepted),
		Entry("every FRRConfiguration", raSpec(`frrConfigurationSelector: {}`), accepted),

		Entry("no networkSelectors", raSpec(`networkSelectors`), "spec.networkSelectors: Required value"),
		Entry("empty networkSelectors", raSpec(`networkSelectors: []`), "should have at least 1 items"),
		Entry("no nodeSelector", raSpec(`nodeSelector`), "spec.nodeSelector: Required value"),
		Entry("no frrConfigurationSelector", raSpec(`frrConfigurationSelector`), "spec.frrConfigurationSelector: Required value"),
		Entry("no advertisements", raSpec(`advertisements`), "spec.advertisements: Required value"),
		Entry("empty advertisements", raSpec(`advertisements: []`), "should have at least 1 items"),
		Entry("an advertisement twice", raSpec(`advertisements: [EgressIP, EgressIP]`), "advertisements must not repeat a value"),
		Entry("three advertisements", raSpec(`advertisements: [PodNetwork, EgressIP, EgressIP]`), "must have at most 2 items"),
		Entry("an unknown advertisement", raSpec(`advertisements: [Service]`), `supported values: "PodNetwork", "EgressIP"`),

		Entry("pod networks of some nodes", raSpec(`nodeSelector: {matchLabels: {rack: a}}`), "nodeSelector must be empty ({})"),
		Entry("pod networks of some nodes by expression",
			raSpec(`nodeSelector: {matchExpressions: [{key: rack, operator: Exists}]}`), "nodeSelector must be empty ({})"),
		Entry("pod networks and egress IPs of some nodes",
			raSpec(`advertisements: [EgressIP, PodNetwork]`, `nodeSelector: {matchLabels: {rack: a}}`), "nodeSelector must be empty ({})"),
		Entry("pod networks with empty matchLabels", raSpec(`nodeSelector: {matchLabels: {}}`), "nodeSelector must be empty ({})"),

		Entry("a selector twice",
			raSpec(`networkSelectors: [{networkSelectionType: DefaultNetwork}, {networkSelectionType: DefaultNetwork}]`), "Duplicate value"),
		Entry("a selector without type", raSpec(`networkSelectors: [{}]`), "networkSelectionType: Required value"),
		Entry("an unknown type", raSpec(`networkSelectors: [{networkSelectionType: Everything}]`), "Unsupported value"),
		Entry("CUDNs without their selector", raSpec(`networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks}]`),
			"set clusterUserDefinedNetworkSelector with networkSelectionType ClusterUserDefinedNetworks, and only then"),
		Entry("CUDNs without labels",
			raSpec(`networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {}}]`),
			"clusterUserDefinedNetworkSelector.networkSelector: Required value"),
		Entry("the default network with a selector",
			raSpec(`networkSelectors: [{networkSelectionType: DefaultNetwork, clusterUserDefinedNetworkSelector: {networkSelector: {}}}]`),
			"set clusterUserDefinedNetworkSelector with networkSelectionType ClusterUserDefinedNetworks, and only then"),
		Entry("CUDNs with another type's selector",
			raSpec(`networkSelectors: [{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: {networkSelector: {}}, `+
				`primaryUserDefinedNetworkSelector: {namespaceSelector: {}}}]`),
			"set primaryUserDefinedNetworkSelector with networkSelectionType PrimaryUserDefinedNetworks, and only then"),
		Entry("secondary UDNs without their selector", raSpec(`networkSelectors: [{networkSelectionType: SecondaryUserDefinedNetworks}]`),
			"set secondaryUserDefinedNetworkSelector with networkSelectionType SecondaryUserDefinedNetworks, and only then"),
		Entry("NADs without their selector", raSpec(`networkSelectors: [{networkSelectionType: NetworkAttachmentDefinitions}]`),
			"set networkAttachmentDefinitionSelector with networkSelectionType NetworkAttachmentDefinitions, and only then"),
		Entry("primary UDNs",
			raSpec(`networkSelectors: [{networkSelectionType: PrimaryUserDefinedNetworks, primaryUserDefinedNetworkSelector: {namespaceSelector: {}}}]`),
			"networkSelectors may only use networkSelectionType DefaultNetwork or ClusterUserDefinedNetworks"),
		Entry("secondary UDNs",
			raSpec(`networkSelectors: [{networkSelectionType: SecondaryUserDefinedNetworks, `+
				`secondaryUserDefinedNetworkSelector: {namespaceSelector: {}, networkSelector: {}}}]`),
			"networkSelectors may only use networkSelectionType DefaultNetwork or ClusterUserDefinedNetworks"),
		Entry("NADs beside CUDNs",
			raSpec(`networkSelectors: [`+cudns+`, {networkSelectionType: NetworkAttachmentDefinitions, `+
				`networkAttachmentDefinitionSelector: {namespaceSelector: {}, networkSelector: {}}}]`),
			"networkSelectors may only use networkSelectionType DefaultNetwork or ClusterUserDefinedNetworks"),
	)

	DescribeTable("update", ra.updates,
		Entry("the VRF", raSpec(), raSpec(`targetVRF: auto`), accepted),
		Entry("the networks", raSpec(), raSpec(`networkSelectors: [`+cudns+`]`), accepted),
		Entry("a nodeSelector onto pod networks", raSpec(), raSpec(`nodeSelector: {matchLabels: {rack: a}}`), "nodeSelector must be empty ({})"),
		Entry("pod networks onto a nodeSelector",
			raSpec(`advertisements: [EgressIP]`, `nodeSelector: {matchLabels: {rack: a}}`),
			raSpec(`advertisements: [EgressIP, PodNetwork]`, `nodeSelector: {matchLabels: {rack: a}}`), "nodeSelector must be empty ({})"),
	)

	It("is taken without a spec, as upstream does", func(ctx context.Context) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(ovnv1.GroupVersion.WithKind("RouteAdvertisements"))
		object.SetName("without-spec")
		Expect(api.Create(ctx, object, client.DryRunAll)).To(Succeed())
	})
})
