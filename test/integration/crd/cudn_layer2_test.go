// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// layer2 is a Layer2 network with the fields of its block.
func layer2(fields string) string {
	return network(`{topology: Layer2, layer2: {` + fields + `}}`)
}

// parts is as many parts of 10.20.0.0/16, side by side.
func parts(count int) string {
	all := make([]string, 0, count)
	for i := range count {
		all = append(all, fmt.Sprintf("10.20.%d.0/24", i))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

var _ = Describe("a Layer2 ClusterUserDefinedNetwork", func() {
	const primary = `role: Primary, subnets: [10.20.0.0/16]`
	const dual = `role: Primary, subnets: [10.20.0.0/16, "fd00:20::/64"]`

	DescribeTable("create", cudn.creates,
		Entry("dual stack", layer2(dual), accepted),
		Entry("IPAM spelt out", layer2(primary+`, ipam: {mode: Enabled, lifecycle: Persistent}`), accepted),
		Entry("lifecycle alone", layer2(primary+`, ipam: {lifecycle: Persistent}`), accepted),
		Entry("Secondary without IPAM", layer2(`role: Secondary, ipam: {mode: Disabled}`), accepted),
		Entry("Secondary with subnets", layer2(`role: Secondary, subnets: [10.20.0.0/16]`), accepted),
		Entry("joinSubnets", layer2(primary+`, joinSubnets: [100.65.0.0/16]`), accepted),
		Entry("a gateway for each family", layer2(dual+`, defaultGatewayIPs: [10.20.0.1, "fd00:20::1"]`), accepted),
		Entry("reserved and infrastructure parts",
			layer2(dual+`, reservedSubnets: [10.20.4.0/24, "fd00:20::4:0/112"], infrastructureSubnets: [10.20.8.0/24]`), accepted),
		Entry("a gateway in the infrastructure part", layer2(primary+`, infrastructureSubnets: [10.20.8.0/24], defaultGatewayIPs: [10.20.8.1]`), accepted),
		Entry("a whole subnet as infrastructure", layer2(primary+`, infrastructureSubnets: [10.20.0.0/16]`), accepted),
		Entry("25 reserved parts", layer2(primary+`, reservedSubnets: `+parts(25)), accepted),
		Entry("the smallest mtu", layer2(primary+`, mtu: 576`), accepted),
		Entry("the smallest mtu for IPv6", layer2(dual+`, mtu: 1280`), accepted),

		Entry("no role", layer2(`subnets: [10.20.0.0/16]`), "role: Required value"),
		Entry("an unknown role", layer2(`role: Tertiary, subnets: [10.20.0.0/16]`), `supported values: "Primary", "Secondary"`),
		Entry("no subnets", layer2(`role: Primary`), "subnets must be set unless ipam.mode is Disabled"),
		Entry("no subnets with lifecycle alone", layer2(`role: Secondary, ipam: {lifecycle: Persistent}`), "subnets must be set unless ipam.mode is Disabled"),
		Entry("no subnets with IPAM", layer2(`role: Secondary, ipam: {mode: Enabled}`), "subnets must be set unless ipam.mode is Disabled"),
		Entry("subnets without IPAM", layer2(`role: Secondary, subnets: [10.20.0.0/16], ipam: {mode: Disabled}`), "subnets must not be set with ipam.mode Disabled"),
		Entry("Primary without IPAM", layer2(`role: Primary, ipam: {mode: Disabled}`), "ipam.mode Disabled is only for a Secondary network"),
		Entry("DHCP", layer2(`role: Secondary, ipam: {mode: DHCP}`), `supported values: "Enabled", "Disabled"`),
		Entry("an unknown IPAM mode", layer2(primary+`, ipam: {mode: Sometimes}`), `supported values: "Enabled", "Disabled"`),
		Entry("empty ipam", layer2(primary+`, ipam: {}`), "should have at least 1 properties"),
		Entry("lifecycle without IPAM", layer2(`role: Secondary, ipam: {mode: Disabled, lifecycle: Persistent}`), "lifecycle can only be set with mode Enabled"),
		Entry("an unknown lifecycle", layer2(primary+`, ipam: {lifecycle: Eternal}`), `supported values: "Persistent"`),
		Entry("an address for a subnet", layer2(`role: Primary, subnets: [10.20.0.0]`), "must be a subnet in CIDR notation"),
		Entry("empty subnets", layer2(`role: Primary, subnets: []`), "should have at least 1 items"),
		Entry("two subnets of a family", layer2(`role: Primary, subnets: [10.20.0.0/16, 10.21.0.0/16]`), "two subnets must be one IPv4 and one IPv6 subnet"),
		Entry("three subnets", layer2(`role: Primary, subnets: [10.20.0.0/16, "fd00:20::/64", 10.21.0.0/16]`), "must have at most 2 items"),
		Entry("joinSubnets for Secondary", layer2(`role: Secondary, subnets: [10.20.0.0/16], joinSubnets: [100.65.0.0/16]`), "joinSubnets can only be set for a Primary network"),
		Entry("mtu too small", layer2(primary+`, mtu: 575`), "should be greater than or equal to 576"),
		Entry("mtu too great", layer2(primary+`, mtu: 65537`), "should be less than or equal to 65536"),
		Entry("mtu too small for IPv6", layer2(dual+`, mtu: 1279`), "mtu must be at least 1280 with an IPv6 subnet"),
	)

	DescribeTable("create with gateways", cudn.creates,
		Entry("for Secondary", layer2(`role: Secondary, subnets: [10.20.0.0/16], defaultGatewayIPs: [10.20.0.1]`),
			"defaultGatewayIPs can only be set for a Primary network"),
		Entry("outside the subnets", layer2(primary+`, defaultGatewayIPs: [10.21.0.1]`), "every one of defaultGatewayIPs must be within one of subnets"),
		Entry("for one family of two", layer2(dual+`, defaultGatewayIPs: [10.20.0.1]`), "defaultGatewayIPs must have one address for each of subnets"),
		Entry("two of a family", layer2(dual+`, defaultGatewayIPs: [10.20.0.1, 10.20.0.2]`), "two addresses must be one IPv4 and one IPv6 address"),
		Entry("three", layer2(dual+`, defaultGatewayIPs: [10.20.0.1, "fd00:20::1", 10.20.0.2]`), "must have at most 2 items"),
		Entry("a CIDR", layer2(primary+`, defaultGatewayIPs: [10.20.0.1/16]`), "must be an IP address"),
		Entry("outside the infrastructure part", layer2(primary+`, infrastructureSubnets: [10.20.8.0/24], defaultGatewayIPs: [10.20.0.1]`),
			"every one of defaultGatewayIPs must be within one of infrastructureSubnets"),
		Entry("without subnets", layer2(`role: Primary, defaultGatewayIPs: [10.20.0.1]`), "defaultGatewayIPs must have one address for each of subnets"),
	)

	DescribeTable("create with reserved parts", cudn.creates,
		Entry("without subnets", layer2(`role: Secondary, ipam: {mode: Disabled}, reservedSubnets: [10.20.4.0/24]`),
			"reservedSubnets are parts of subnets and can't be set without them"),
		Entry("for Secondary", layer2(`role: Secondary, subnets: [10.20.0.0/16], reservedSubnets: [10.20.4.0/24]`),
			"reservedSubnets can only be set for a Primary network"),
		Entry("outside the subnets", layer2(primary+`, reservedSubnets: [10.20.4.0/24, 10.21.4.0/24]`), "every one of reservedSubnets must be within one of subnets"),
		Entry("around the subnets", layer2(primary+`, reservedSubnets: [10.0.0.0/8]`), "every one of reservedSubnets must be within one of subnets"),
		Entry("with host bits", layer2(primary+`, reservedSubnets: [10.20.4.1/24]`), "reservedSubnets must have no host bits set"),
		Entry("that are no CIDR", layer2(primary+`, reservedSubnets: [10.20.4.0]`), "must be a subnet in CIDR notation"),
		Entry("none in the list", layer2(primary+`, reservedSubnets: []`), "should have at least 1 items"),
		Entry("26", layer2(primary+`, reservedSubnets: `+parts(26)), "must have at most 25 items"),
	)

	DescribeTable("create with infrastructure parts", cudn.creates,
		Entry("without subnets", layer2(`role: Secondary, ipam: {mode: Disabled}, infrastructureSubnets: [10.20.8.0/24]`),
			"infrastructureSubnets are parts of subnets and can't be set without them"),
		Entry("for Secondary", layer2(`role: Secondary, subnets: [10.20.0.0/16], infrastructureSubnets: [10.20.8.0/24]`),
			"infrastructureSubnets can only be set for a Primary network"),
		Entry("outside the subnets", layer2(primary+`, infrastructureSubnets: [10.21.8.0/24]`), "every one of infrastructureSubnets must be within one of subnets"),
		Entry("with host bits", layer2(primary+`, infrastructureSubnets: [10.20.8.1/24]`), "infrastructureSubnets must have no host bits set"),
		Entry("five", layer2(primary+`, infrastructureSubnets: `+parts(5)), "must have at most 4 items"),
		Entry("around a reserved part", layer2(primary+`, reservedSubnets: [10.20.8.0/25], infrastructureSubnets: [10.20.8.0/24]`),
			"reservedSubnets and infrastructureSubnets must not overlap"),
		Entry("within a reserved part", layer2(primary+`, reservedSubnets: [10.20.8.0/23], infrastructureSubnets: [10.20.9.0/24]`),
			"reservedSubnets and infrastructureSubnets must not overlap"),
	)

	DescribeTable("update", cudn.updates,
		Entry("nothing", layer2(primary), layer2(primary), accepted),
		Entry("a second subnet", layer2(primary), layer2(dual), "layer2 can't be changed"),
		Entry("the role", layer2(primary), layer2(`role: Secondary, subnets: [10.20.0.0/16]`), "layer2 can't be changed"),
		Entry("an mtu", layer2(primary), layer2(primary+`, mtu: 1400`), "layer2 can't be changed"),
		Entry("gateways", layer2(primary), layer2(primary+`, defaultGatewayIPs: [10.20.0.1]`), "layer2 can't be changed"),
	)
})
