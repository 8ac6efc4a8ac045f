// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	. "github.com/onsi/ginkgo/v2"
)

// routed is a Primary Layer3 network with further fields beside its block.
func routed(fields string) string {
	return network(`{topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16, hostSubnet: 24}]}, ` + fields + `}`)
}

// switched is a Primary Layer2 network with further fields beside its block.
func switched(fields string) string {
	return network(`{topology: Layer2, layer2: {role: Primary, subnets: [10.20.0.0/16]}, ` + fields + `}`)
}

// target is an EVPN network with that route target.
func target(routeTarget string) string {
	return switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100, routeTarget: "` + routeTarget + `"}}`)
}

var _ = Describe("the transport of a ClusterUserDefinedNetwork", func() {
	const noOverlay = `transport: NoOverlay, noOverlay: {outboundSNAT: Disabled, routing: Unmanaged}`

	DescribeTable("create NoOverlay", cudn.creates,
		Entry("unmanaged", routed(noOverlay), accepted),
		Entry("managed", routed(`transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Managed}`), accepted),

		Entry("an unknown transport", routed(`transport: Pigeon`), `supported values: "NoOverlay", "EVPN"`),
		Entry("without its block", routed(`transport: NoOverlay`), "set noOverlay with transport NoOverlay, and only then"),
		Entry("its block without it", routed(`noOverlay: {outboundSNAT: Disabled, routing: Unmanaged}`), "set noOverlay with transport NoOverlay, and only then"),
		Entry("its block with EVPN",
			routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}, noOverlay: {outboundSNAT: Disabled, routing: Unmanaged}`),
			"set noOverlay with transport NoOverlay, and only then"),
		Entry("for Layer2", switched(noOverlay), "transport NoOverlay is only for a Primary network of topology Layer3"),
		Entry("for Secondary", network(`{topology: Layer3, layer3: {role: Secondary, subnets: [{cidr: 10.10.0.0/16}]}, `+noOverlay+`}`),
			"transport NoOverlay is only for a Primary network of topology Layer3"),
		Entry("for Localnet", network(`{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: a, subnets: [192.0.2.0/24]}, `+noOverlay+`}`),
			"transport NoOverlay is only for a Primary network of topology Layer3"),
		Entry("no outboundSNAT", routed(`transport: NoOverlay, noOverlay: {routing: Unmanaged}`), "outboundSNAT: Required value"),
		Entry("no routing", routed(`transport: NoOverlay, noOverlay: {outboundSNAT: Disabled}`), "routing: Required value"),
		Entry("an unknown outboundSNAT", routed(`transport: NoOverlay, noOverlay: {outboundSNAT: Maybe, routing: Managed}`), `supported values: "Enabled", "Disabled"`),
		Entry("an unknown routing", routed(`transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Magic}`), `supported values: "Managed", "Unmanaged"`),
	)

	DescribeTable("create EVPN", cudn.creates,
		Entry("Layer2 with a MAC-VRF", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}}`), accepted),
		Entry("Layer2 with both", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}, ipVRF: {vni: 101}}`), accepted),
		Entry("Layer3 with an IP-VRF", routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}`), accepted),
		Entry("the greatest VNI", routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 16777215}}`), accepted),

		Entry("without its block", switched(`transport: EVPN`), "set evpn with transport EVPN, and only then"),
		Entry("its block without it", switched(`evpn: {vtep: fabric, macVRF: {vni: 100}}`), "set evpn with transport EVPN, and only then"),
		Entry("its block with NoOverlay", routed(noOverlay+`, evpn: {vtep: fabric, ipVRF: {vni: 101}}`), "set evpn with transport EVPN, and only then"),
		Entry("for Secondary",
			network(`{topology: Layer2, layer2: {role: Secondary, subnets: [10.20.0.0/16]}, transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}}}`),
			"transport EVPN is only for a Primary network of topology Layer2 or Layer3"),
		Entry("for Localnet",
			network(`{topology: Localnet, localnet: {role: Secondary, physicalNetworkName: a, subnets: [192.0.2.0/24]}, transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}}}`),
			"transport EVPN is only for a Primary network of topology Layer2 or Layer3"),
		Entry("Layer2 with an IP-VRF alone", switched(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}`), "evpn.macVRF must be set with topology Layer2"),
		Entry("Layer3 without IP-VRF", routed(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}}`), "evpn.ipVRF must be set with topology Layer3"),
		Entry("Layer3 with a MAC-VRF", routed(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}, ipVRF: {vni: 101}}`), "evpn.macVRF can't be set with topology Layer3"),
		Entry("neither VRF", switched(`transport: EVPN, evpn: {vtep: fabric}`), "set macVRF, ipVRF or both"),
		Entry("one VNI for both", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}, ipVRF: {vni: 100}}`), "macVRF and ipVRF must have different VNIs"),
		Entry("VNI 0", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 0}}`), "should be greater than or equal to 1"),
		Entry("too great a VNI", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 16777216}}`), "should be less than or equal to 16777215"),
		Entry("no VNI", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {}}`), "vni: Required value"),
		Entry("no vtep", switched(`transport: EVPN, evpn: {macVRF: {vni: 100}}`), "vtep: Required value"),
		Entry("an empty vtep", switched(`transport: EVPN, evpn: {vtep: "", macVRF: {vni: 100}}`), "should be at least 1 chars long"),
	)

	const (
		shape  = "must be ASN:number, IPv4 address:number or *:number"
		asn    = "the ASN of a route target is at most 4294967295"
		octets = "a route target has 6 bytes in all"
	)
	DescribeTable("create with a route target", cudn.creates,
		Entry("2-byte ASN", target("65000:100"), accepted),
		Entry("2-byte ASN, greatest number", target("65535:4294967295"), accepted),
		Entry("4-byte ASN, greatest number", target("4294967295:65535"), accepted),
		Entry("IPv4 address", target("192.0.2.1:65535"), accepted),
		Entry("any ASN", target("*:4294967295"), accepted),

		Entry("no colon", target("invalid"), shape),
		Entry("two colons", target("1:2:3"), shape),
		Entry("two colons with nothing between", target("1::3"), shape),
		Entry("nothing before the colon", target(":100"), shape),
		Entry("nothing after the colon", target("65000:"), shape),
		Entry("a word for an ASN", target("as65000:100"), shape),
		Entry("a word for a number", target("65000:many"), shape),
		Entry("no real address", target("192.0.2.300:100"), shape),
		Entry("half an address", target("192.0:100"), shape),
		Entry("an asterisk and more", target("*1:100"), shape),
		Entry("a negative number", target("65000:-1"), shape),
		Entry("an IPv6 address", target("fd00::1:100"), shape),
		Entry("longer than any", target("192.100.100.100:655355"), "Too long"),
		Entry("too great an ASN", target("4294967296:100"), asn),
		Entry("2-byte ASN, number too great", target("65535:4294967296"), octets),
		Entry("4-byte ASN, number too great", target("65536:65536"), octets),
		Entry("IPv4 address, number too great", target("192.0.2.1:65536"), octets),
		Entry("any ASN, number too great", target("*:4294967296"), octets),
	)

	DescribeTable("update", cudn.updates,
		Entry("NoOverlay away", routed(noOverlay), network(layer3Primary), "transport can't be changed"),
		Entry("NoOverlay onto an overlay network", network(layer3Primary),
			network(`{topology: Layer3, layer3: {role: Primary, subnets: [{cidr: 10.10.0.0/16, hostSubnet: 24}]}, `+noOverlay+`}`),
			"transport can't be changed"),
		Entry("NoOverlay to EVPN", routed(noOverlay), routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}`), "transport can't be changed"),
		Entry("outboundSNAT", routed(noOverlay), routed(`transport: NoOverlay, noOverlay: {outboundSNAT: Enabled, routing: Unmanaged}`),
			"noOverlay can't be changed"),
		Entry("a VNI", routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}`),
			routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 102}}`), accepted),
		Entry("a route target", switched(`transport: EVPN, evpn: {vtep: fabric, macVRF: {vni: 100}}`), target("65000:100"), accepted),
		Entry("the VTEP", routed(`transport: EVPN, evpn: {vtep: fabric, ipVRF: {vni: 101}}`), routed(`transport: EVPN, evpn: {vtep: other, ipVRF: {vni: 101}}`), accepted),
	)
})
