// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	. "github.com/onsi/ginkgo/v2"
)

const cudn = resource("ClusterUserDefinedNetwork")

// network is the spec of a ClusterUserDefinedNetwork with the YAML of its
// network, and perhaps fields beside it.
func network(network string, beside ...string) string {
	spec := "namespaceSelector: {}\nnetwork: " + network + "\n"
	for _, field := range beside {
		spec += field + "\n"
	}
	return spec
}

// Networks that are taken, to put something at fault beside.
const (
	layer3Primary   = `{topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16, hostSubnet: 24}]}}`
	layer3Secondary = `{topology: Layer3, layer3: {role: Secondary, subnets: [{cidr: 10.10.0.0/16, hostSubnet: 24}]}}`
	layer2Primary   = `{topology: Layer2, layer2: {role: Primary, subnets: [10.20.0.0/16]}}`
	layer2Secondary = `{topology: Layer2, layer2: {role: Secondary, subnets: [10.20.0.0/16]}}`
	localnet        = `{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: physnet1, subnets: [192.0.2.0/24]}}`
	layer3EVPN      = `{topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16}]}, transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}}`
)

var _ = Describe("ClusterUserDefinedNetwork", func() {
	DescribeTable("create with a topology", cudn.creates,
		Entry("Layer3", network(layer3Primary), accepted),
		Entry("Layer3 Secondary", network(layer3Secondary), accepted),
		Entry("Layer2", network(layer2Primary), accepted),
		Entry("Layer2 Secondary", network(layer2Secondary), accepted),
		Entry("Localnet", network(localnet), accepted),

		Entry("no network", `namespaceSelector: {}`, "spec.network: Required value"),
		Entry("no namespaceSelector", `network: `+layer3Primary, "spec.namespaceSelector: Required value"),
		Entry("no topology", network(`{layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16}]}}`), "spec.network.topology: Required value"),
		Entry("an unknown topology", network(`{topology: Layer4}`), `supported values: "Layer2", "Layer3", "Localnet"`),
		Entry("Layer3 without layer3", network(`{topology: Layer3}`), "set layer3 with topology Layer3, and only then"),
		Entry("Layer2 without layer2", network(`{topology: Layer2}`), "set layer2 with topology Layer2, and only then"),
		Entry("Localnet without localnet", network(`{topology: Localnet}`), "set localnet with topology Localnet, and only then"),
		Entry("Layer2 with layer3 beside",
			network(`{topology: Layer2, layer2: {role: Primary, subnets: [10.20.0.0/16]}, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16}]}}`),
			"set layer3 with topology Layer3, and only then"),
		Entry("Layer3 with layer2 beside",
			network(`{topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16}]}, layer2: {role: Primary, subnets: [10.20.0.0/16]}}`),
			"set layer2 with topology Layer2, and only then"),
		Entry("Layer2 with localnet beside",
			network(`{topology: Layer2, layer2: {role: Primary, subnets: [10.20.0.0/16]}, localnet: {role: Secondary, physicalNetworkName: a, subnets: [10.0.0.0/24]}}`),
			"set localnet with topology Localnet, and only then"),
	)

	DescribeTable("update of the topology", cudn.updates,
		Entry("the namespaces", network(layer3Primary), `{namespaceSelector: {matchLabels: {team: blue}}, network: `+layer3Primary+`}`, accepted),
		Entry("to another", network(layer3Primary), network(layer2Primary), "topology can't be changed"),
	)

	DescribeTable("create with uplinks", cudn.creates,
		Entry("Layer3 Primary", network(layer3Primary, `uplinks: [underlay]`), accepted),
		Entry("Layer2 Primary", network(layer2Primary, `uplinks: [underlay]`), accepted),

		Entry("none in the list", network(layer3Primary, `uplinks: []`), "should have at least 1 items"),
		Entry("two", network(layer3Primary, `uplinks: [underlay, other]`), "must have at most 1 item"),
		Entry("one with a dot", network(layer3Primary, `uplinks: [under.lay]`), "should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"),
		Entry("one that ends with a dash", network(layer3Primary, `uplinks: [underlay-]`), "should match"),
		Entry("one without a name", network(layer3Primary, `uplinks: [""]`), "should be at least 1 chars long"),
		Entry("Layer3 Secondary", network(layer3Secondary, `uplinks: [underlay]`),
			"uplinks can only be set for a Primary network of topology Layer2 or Layer3"),
		Entry("Layer2 Secondary", network(layer2Secondary, `uplinks: [underlay]`),
			"uplinks can only be set for a Primary network of topology Layer2 or Layer3"),
		Entry("Localnet", network(localnet, `uplinks: [underlay]`),
			"uplinks can only be set for a Primary network of topology Layer2 or Layer3"),
		Entry("EVPN", network(layer3EVPN, `uplinks: [underlay]`), "uplinks can't be set with transport EVPN"),
	)

	DescribeTable("update of uplinks", cudn.updates,
		Entry("none", network(layer3Primary, `uplinks: [underlay]`), network(layer3Primary, `uplinks: [underlay]`), accepted),
		Entry("to another", network(layer3Primary, `uplinks: [underlay]`), network(layer3Primary, `uplinks: [other]`), "uplinks can't be changed"),
		Entry("away", network(layer3Primary, `uplinks: [underlay]`), network(layer3Primary), "uplinks can't be changed"),
		Entry("onto a network without", network(layer3Primary), network(layer3Primary, `uplinks: [underlay]`), "uplinks can't be changed"),
	)
})
