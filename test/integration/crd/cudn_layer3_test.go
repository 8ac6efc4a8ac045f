// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// layer3 is a Layer3 network with the fields of its block.
func layer3(fields string) string {
	return network(`{topology: Layer3, layer3: {` + fields + `}}`)
}

// manySubnets is as many subnets of the same size, side by side.
func manySubnets(count int) string {
	subnets := make([]string, 0, count)
	for i := range count {
		subnets = append(subnets, fmt.Sprintf("{cidr: 10.%d.%d.0/24, hostSubnet: 28}", i/256, i%256))
	}
	return "role: Primary, subnets: [" + strings.Join(subnets, ", ") + "]"
}

// manyIPv6Subnets is the same with CIDRs as long as they get, as the cost of a
// rule grows with them.
func manyIPv6Subnets(count int) string {
	subnets := make([]string, 0, count)
	for i := range count {
		subnets = append(subnets, fmt.Sprintf(`{cidr: "2001:0db8:%04x:0000:0000:0000:0000:0000/48", hostSubnet: 64}`, i))
	}
	return "role: Primary, subnets: [" + strings.Join(subnets, ", ") + "]"
}

var _ = Describe("a Layer3 ClusterUserDefinedNetwork", func() {
	const (
		overlap      = "subnets must not overlap each other or repeat"
		oneLength    = "subnets of one IP family must have the same hostSubnet"
		tooShort     = "hostSubnet must be longer than the prefix length of cidr"
		secondary    = "a Secondary network has one subnet, or one IPv4 and one IPv6 subnet"
		oneOfEach    = "two subnets must be one IPv4 and one IPv6 subnet"
		notInCIDR    = "must be a subnet in CIDR notation"
		mtuTooSmall  = "mtu must be at least 1280 with an IPv6 subnet"
		joinSubnets  = "joinSubnets can only be set for a Primary network"
		unchangeable = "existing subnets and their hostSubnet can't be changed or removed"
	)

	DescribeTable("create", cudn.creates,
		Entry("no hostSubnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`), accepted),
		Entry("host bits in the cidr", layer3(`role: Primary, subnets: [{cidr: 10.1.100.0/16, hostSubnet: 24}]`), accepted),
		Entry("two subnets of a family", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.2.0.0/16, hostSubnet: 24}]`), accepted),
		Entry("dual stack with a hostSubnet for each family",
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: "fd00:1::/48", hostSubnet: 64}]`), accepted),
		Entry("dual stack Secondary", layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}, {cidr: "fd00:1::/48"}]`), accepted),
		Entry("400 subnets", layer3(manySubnets(400)), accepted),
		Entry("400 IPv6 subnets", layer3(manyIPv6Subnets(400)), accepted),
		Entry("the smallest mtu", layer3(`role: Primary, mtu: 576, subnets: [{cidr: 10.1.0.0/16}]`), accepted),
		Entry("the smallest mtu for IPv6", layer3(`role: Primary, mtu: 1280, subnets: [{cidr: "fd00:1::/48"}]`), accepted),
		Entry("the greatest mtu", layer3(`role: Primary, mtu: 65536, subnets: [{cidr: 10.1.0.0/16}]`), accepted),
		Entry("joinSubnets", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0/16, "fd98::/64"]`), accepted),
		Entry("hostSubnet 31", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 31}]`), accepted),
		Entry("hostSubnet 127 with IPv6", layer3(`role: Primary, subnets: [{cidr: "fd00:1::/120", hostSubnet: 127}]`), accepted),

		Entry("no role", layer3(`subnets: [{cidr: 10.1.0.0/16}]`), "role: Required value"),
		Entry("an unknown role", layer3(`role: Tertiary, subnets: [{cidr: 10.1.0.0/16}]`), `supported values: "Primary", "Secondary"`),
		Entry("no subnets", layer3(`role: Primary`), "subnets: Required value"),
		Entry("empty subnets", layer3(`role: Primary, subnets: []`), "should have at least 1 items"),
		Entry("401 subnets", layer3(manySubnets(401)), "must have at most 400 items"),
		Entry("no cidr", layer3(`role: Primary, subnets: [{hostSubnet: 24}]`), "cidr: Required value"),
		Entry("an address for a cidr", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0}]`), notInCIDR),
		Entry("a cidr that is none, beside one that is", layer3(`role: Primary, mtu: 1280, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.2/16, hostSubnet: 24}]`), notInCIDR),

		Entry("a subnet twice", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.1.0.0/16}]`), overlap),
		Entry("a subnet within another", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.1.128.0/17, hostSubnet: 24}]`), overlap),
		Entry("a subnet around another", layer3(`role: Primary, subnets: [{cidr: 10.1.128.0/17, hostSubnet: 24}, {cidr: 10.1.0.0/16, hostSubnet: 24}]`), overlap),
		Entry("one subnet, written two ways", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.1.1.0/16}]`), overlap),
		Entry("an IPv6 subnet within another", layer3(`role: Primary, subnets: [{cidr: "2001:db8:1::/48", hostSubnet: 64}, {cidr: "2001:db8:1:8000::/49", hostSubnet: 64}]`), overlap),

		Entry("two hostSubnets in a family", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.2.0.0/16, hostSubnet: 27}]`), oneLength),
		Entry("a hostSubnet for one of a family", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.2.0.0/16}]`), oneLength),
		Entry("two hostSubnets in IPv6", layer3(`role: Primary, subnets: [{cidr: "fd00:1::/48", hostSubnet: 64}, {cidr: "fd00:2::/48", hostSubnet: 60}]`), oneLength),
		Entry("hostSubnet as long as the cidr", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 16}]`), tooShort),
		Entry("hostSubnet shorter than the cidr", layer3(`role: Primary, subnets: [{cidr: "fd00:1::/64", hostSubnet: 48}]`), tooShort),
		Entry("hostSubnet 32 with IPv4", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 32}]`), "hostSubnet must be less than 32 with an IPv4 cidr"),
		Entry("hostSubnet 0", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 0}]`), "should be greater than or equal to 1"),
		Entry("hostSubnet 128", layer3(`role: Primary, subnets: [{cidr: "fd00:1::/64", hostSubnet: 128}]`), "should be less than or equal to 127"),

		Entry("mtu too small", layer3(`role: Primary, mtu: 575, subnets: [{cidr: 10.1.0.0/16}]`), "should be greater than or equal to 576"),
		Entry("mtu too great", layer3(`role: Primary, mtu: 65537, subnets: [{cidr: 10.1.0.0/16}]`), "should be less than or equal to 65536"),
		Entry("mtu too small for IPv6", layer3(`role: Primary, mtu: 1279, subnets: [{cidr: 10.1.0.0/16}, {cidr: "fd00:1::/48"}]`), mtuTooSmall),
		Entry("mtu too small for two IPv6 subnets", layer3(`role: Primary, mtu: 1279, subnets: [{cidr: "fd00:1::/48"}, {cidr: "fd00:2::/48"}]`), mtuTooSmall),

		Entry("joinSubnets for Secondary", layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0/16]`), joinSubnets),
		Entry("joinSubnets of one family", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0/16, 100.66.0.0/16]`), oneOfEach),
		Entry("three joinSubnets", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0/16, "fd98::/64", 100.66.0.0/16]`), "must have at most 2 items"),
		Entry("joinSubnets that is no CIDR", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0, "fd98::/64"]`), notInCIDR),
		Entry("two subnets of a family for Secondary", layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.2.0.0/16}]`), secondary),
		Entry("three subnets for Secondary", layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}, {cidr: "fd00:1::/48"}, {cidr: "fd00:2::/48"}]`), secondary),
	)

	DescribeTable("update", cudn.updates,
		Entry("add a subnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}, {cidr: 10.2.0.0/16, hostSubnet: 24}]`), accepted),
		Entry("add a subnet in front", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}]`),
			layer3(`role: Primary, subnets: [{cidr: "fd00:1::/48", hostSubnet: 64}, {cidr: 10.1.0.0/16, hostSubnet: 24}]`), accepted),
		Entry("add the 400th subnet", layer3(manySubnets(399)), layer3(manySubnets(400)), accepted),
		Entry("add the 400th IPv6 subnet", layer3(manyIPv6Subnets(399)), layer3(manyIPv6Subnets(400)), accepted),

		Entry("remove a subnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.2.0.0/16}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`), unchangeable),
		Entry("remove an IPv6 subnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}, {cidr: "fd00:1::/48"}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`), unchangeable),
		Entry("widen a subnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.0.0.0/15}]`), unchangeable),
		Entry("add a subnet that overlaps", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.0.0.0/8}]`), overlap),
		Entry("another hostSubnet", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 24}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 25}]`), unchangeable),
		Entry("a hostSubnet where there was none", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16, hostSubnet: 25}]`), unchangeable),
		Entry("a hostSubnet away", layer3(`role: Primary, subnets: [{cidr: "fd00:1::/48", hostSubnet: 64}]`),
			layer3(`role: Primary, subnets: [{cidr: "fd00:1::/48"}]`), unchangeable),
		Entry("a subnet of a Secondary network", layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}, {cidr: "fd00:1::/48"}]`), "subnets of a Secondary network can't be changed"),
		Entry("the role", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Secondary, subnets: [{cidr: 10.1.0.0/16}]`), "role can't be changed"),
		Entry("the mtu", layer3(`role: Primary, mtu: 1400, subnets: [{cidr: 10.1.0.0/16}]`),
			layer3(`role: Primary, mtu: 1500, subnets: [{cidr: 10.1.0.0/16}]`), "mtu can't be changed"),
		Entry("joinSubnets", layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.65.0.0/16]`),
			layer3(`role: Primary, subnets: [{cidr: 10.1.0.0/16}], joinSubnets: [100.66.0.0/16]`), "joinSubnets can't be changed"),
	)
})
