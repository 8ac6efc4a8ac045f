// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// attached is a Localnet network with further fields in its block.
func attached(fields string) string {
	return network(`{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: physnet1, ` + fields + `}}`)
}

// named is a Localnet network with that name of its physical network.
func named(name string) string {
	return network(`{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: "` + name + `", subnets: [192.0.2.0/24]}}`)
}

var _ = Describe("a Localnet ClusterUserDefinedNetwork", func() {
	const subnets = `subnets: [192.0.2.0/24]`

	DescribeTable("create", cudn.creates,
		Entry("dual stack", attached(`subnets: [192.0.2.0/24, "2001:db8::/64"]`), accepted),
		Entry("without IPAM", attached(`ipam: {mode: Disabled}`), accepted),
		Entry("with DHCP", attached(`ipam: {mode: DHCP}`), `supported values: "Enabled", "Disabled"`),
		Entry("excluded parts", attached(subnets+`, excludeSubnets: [192.0.2.0/28, 192.0.2.240/28]`), accepted),
		Entry("a VLAN", attached(subnets+`, vlan: {mode: Access, access: {id: 4094}}`), accepted),
		Entry("an mtu", attached(subnets+`, mtu: 9000`), accepted),
		Entry("persistent addresses", attached(subnets+`, ipam: {mode: Enabled, lifecycle: Persistent}`), accepted),
		Entry("the longest name", named(strings.Repeat("n", 253)), accepted),

		Entry("Primary", network(`{topology: Localnet, localnet: {role: Primary, physicalNetworkName: physnet1, subnets: [192.0.2.0/24]}}`), `supported values: "Secondary"`),
		Entry("no name", network(`{topology: Localnet, localnet: {role: Secondary, subnets: [192.0.2.0/24]}}`), "physicalNetworkName: Required value"),
		Entry("an empty name", named(""), "should be at least 1 chars long"),
		Entry("too long a name", named(strings.Repeat("n", 254)), "Too long"),
		Entry("a name with a comma", named("a,b"), "physicalNetworkName must not contain a comma or a colon"),
		Entry("a name with a colon", named("a:b"), "physicalNetworkName must not contain a comma or a colon"),
		Entry("no subnets", network(`{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: physnet1}}`), "subnets must be set unless ipam.mode is Disabled"),
		Entry("subnets without IPAM", attached(subnets+`, ipam: {mode: Disabled}`), "subnets must not be set with ipam.mode Disabled"),
		Entry("excluded parts without subnets", attached(`ipam: {mode: Disabled}, excludeSubnets: [192.0.2.0/28]`), "excludeSubnets are parts of subnets and can't be set without them"),
		Entry("excluded parts that are no CIDR", attached(subnets+`, excludeSubnets: [192.0.2.1]`), "must be a subnet in CIDR notation"),
		Entry("26 excluded parts", attached(`subnets: [10.20.0.0/16], excludeSubnets: `+parts(26)), "must have at most 25 items"),
		Entry("two subnets of a family", attached(`subnets: [192.0.2.0/24, 198.51.100.0/24]`), "two subnets must be one IPv4 and one IPv6 subnet"),
		Entry("mtu too small for IPv6", attached(`subnets: ["2001:db8::/64"], mtu: 1279`), "mtu must be at least 1280 with an IPv6 subnet"),
		Entry("mtu too small", attached(subnets+`, mtu: 575`), "should be greater than or equal to 576"),
		Entry("VLAN 0", attached(subnets+`, vlan: {mode: Access, access: {id: 0}}`), "should be greater than or equal to 1"),
		Entry("VLAN 4095", attached(subnets+`, vlan: {mode: Access, access: {id: 4095}}`), "should be less than or equal to 4094"),
		Entry("VLAN mode without its block", attached(subnets+`, vlan: {mode: Access}`), "set access with mode Access, and only then"),
		Entry("VLAN without mode", attached(subnets+`, vlan: {access: {id: 100}}`), "mode: Required value"),
		Entry("an unknown VLAN mode", attached(subnets+`, vlan: {mode: Trunk}`), `supported values: "Access"`),
	)

	DescribeTable("update", cudn.updates,
		Entry("nothing", attached(subnets), attached(subnets), accepted),
		Entry("the VLAN", attached(subnets+`, vlan: {mode: Access, access: {id: 100}}`),
			attached(subnets+`, vlan: {mode: Access, access: {id: 101}}`), "localnet can't be changed"),
		Entry("excluded parts", attached(subnets), attached(subnets+`, excludeSubnets: [192.0.2.0/28]`), "localnet can't be changed"),
	)
})
