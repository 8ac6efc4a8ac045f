// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// policyOf is a policy with these rules for one target.
func policyOf(rules string) string {
	return `{targetRefs: [{group: k8s.ovn.org, kind: RouteAdvertisements, name: tlv}], rules: ` + rules + `}`
}

// setting is a policy that sets these attributes.
func setting(attributes string) string { return policyOf(`[{set: {` + attributes + `}}]`) }

// matching is a policy for what this matches.
func matching(match string) string { return policyOf(`[{match: {` + match + `}, suppress: true}]`) }

// repeated is a list of as many items, each with its number in it.
func repeated(count int, item string) string {
	items := make([]string, 0, count)
	for i := range count {
		items = append(items, strings.ReplaceAll(item, "N", fmt.Sprint(i)))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

var _ = Describe("RoutePolicy", func() {
	const policy = resource("RoutePolicy")
	const target = `{group: k8s.ovn.org, kind: RouteAdvertisements, name: ra-N}`

	DescribeTable("create", policy.creates,
		Entry("what it can do", policyOf(`[
			{match: {networkSelector: {}, nodeSelector: {matchLabels: {topology.kubernetes.io/zone: a}}, neighbors: [192.0.2.254, "2001:db8::1", eth1.100],
				prefixes: [{prefix: 10.0.0.0/8, ge: 24, le: 32}, {prefix: "fd00::/8", le: 128}, {prefix: 10.9.0.0/24}], kinds: [PodNetwork, EgressIP]},
			set: {communities: ["64512:100", "large:64512:1:4294967295", no-export], localPreference: 0}},
			{match: {kinds: [EgressIP]}, suppress: true}]`), accepted),
		Entry("16 targets", `{targetRefs: `+repeated(16, target)+`, rules: [{suppress: true}]}`, accepted),
		Entry("64 rules", policyOf(repeated(64, `{set: {communities: ["64512:N"]}}`)), accepted),

		Entry("no target", `{targetRefs: [], rules: [{suppress: true}]}`, "should have at least 1 items"),
		Entry("17 targets", `{targetRefs: `+repeated(17, target)+`, rules: [{suppress: true}]}`, "must have at most 16 items"),
		Entry("a target twice", `{targetRefs: [`+target+`, `+target+`], rules: [{suppress: true}]}`, "Duplicate value"),
		Entry("a target of another group", `{targetRefs: [{group: ovnbgp.io, kind: RouteAdvertisements, name: a}], rules: [{suppress: true}]}`, `supported values: "k8s.ovn.org"`),
		Entry("a target of another kind", `{targetRefs: [{group: k8s.ovn.org, kind: EgressIP, name: a}], rules: [{suppress: true}]}`, `supported values: "RouteAdvertisements"`),
		Entry("no rule", policyOf(`[]`), "should have at least 1 items"),
		Entry("65 rules", policyOf(repeated(65, `{set: {communities: ["64512:N"]}}`)), "must have at most 64 items"),
		Entry("a rule that does nothing", policyOf(`[{match: {}}]`), "a rule must have either set or suppress: true"),
		Entry("a rule that suppresses nothing", policyOf(`[{suppress: false}]`), "a rule must have either set or suppress: true"),
		Entry("a rule that sets and suppresses", policyOf(`[{set: {localPreference: 1}, suppress: true}]`), "a rule must have either set or suppress: true"),
	)

	const noCommunity = "a community must be two numbers up to 65535"
	DescribeTable("create with attributes", policy.creates,
		Entry("the greatest community", setting(`communities: ["65535:65535"]`), accepted),
		Entry("32 communities", setting(`communities: `+repeated(32, `"large:1:2:N"`)), accepted),
		Entry("all well-known names", setting(`communities: [accept-own, blackhole, graceful-shutdown, llgr-stale, no-advertise, no-export, no-export-subconfed, no-llgr, no-peer]`), accepted),
		Entry("the greatest localPreference", setting(`localPreference: 4294967295`), accepted),
		Entry("the least med", setting(`med: 0`), accepted),
		Entry("the greatest med", setting(`med: 4294967295`), accepted),
		Entry("the longest prepend", setting(`prepend: 10`), accepted),

		Entry("none", policyOf(`[{set: {}}]`), "should have at least 1 properties"),
		Entry("no communities", setting(`communities: []`), "should have at least 1 items"),
		Entry("33 communities", setting(`communities: `+repeated(33, `"64512:N"`)), "must have at most 32 items"),
		Entry("a community twice", setting(`communities: ["64512:1", "64512:1"]`), "Duplicate value"),
		Entry("a number too great", setting(`communities: ["65536:1"]`), noCommunity),
		Entry("a second number too great", setting(`communities: ["1:65536"]`), noCommunity),
		Entry("one number", setting(`communities: ["64512"]`), noCommunity),
		Entry("three numbers without large", setting(`communities: ["64512:1:2"]`), noCommunity),
		Entry("a large number too great", setting(`communities: ["large:1:2:4294967296"]`), noCommunity),
		Entry("a large community of two numbers", setting(`communities: ["large:1:2"]`), noCommunity),
		Entry("an unknown name", setting(`communities: [no-exports]`), noCommunity),
		Entry("white space", setting(`communities: ["64512:1 additive"]`), noCommunity),
		Entry("a negative localPreference", setting(`localPreference: -1`), "should be greater than or equal to 0"),
		Entry("a localPreference too great", setting(`localPreference: 4294967296`), "should be less than or equal to 4294967295"),
		Entry("a negative med", setting(`med: -1`), "should be greater than or equal to 0"),
		Entry("a med too great", setting(`med: 4294967296`), "should be less than or equal to 4294967295"),
		Entry("a prepend of nothing", setting(`prepend: 0`), "should be greater than or equal to 1"),
		Entry("a prepend too long", setting(`prepend: 11`), "should be less than or equal to 10"),
	)

	const hostBits = "prefix must be a subnet in CIDR notation with no host bits set"
	DescribeTable("create with matches", policy.creates,
		Entry("all routes", matching(``), accepted),
		Entry("64 prefixes", matching(`prefixes: `+repeated(64, `{prefix: 10.N.0.0/16, ge: 17, le: 32}`)), accepted),
		Entry("64 neighbors", matching(`neighbors: `+repeated(64, `10.0.0.N`)), accepted),
		Entry("the prefix's own length", matching(`prefixes: [{prefix: 10.0.0.0/8, ge: 8, le: 8}]`), accepted),

		Entry("no prefixes", matching(`prefixes: []`), "should have at least 1 items"),
		Entry("65 prefixes", matching(`prefixes: `+repeated(65, `{prefix: 10.N.0.0/16}`)), "must have at most 64 items"),
		Entry("an address", matching(`prefixes: [{prefix: 10.0.0.1}]`), hostBits),
		Entry("host bits", matching(`prefixes: [{prefix: 10.0.0.1/8}]`), hostBits),
		Entry("IPv6 host bits", matching(`prefixes: [{prefix: "fd00::1/64"}]`), hostBits),
		Entry("ge below the length", matching(`prefixes: [{prefix: 10.0.0.0/16, ge: 8}]`), "ge must not be less than the prefix's own length"),
		Entry("le below the length", matching(`prefixes: [{prefix: 10.0.0.0/16, le: 15}]`), "le must not be less than the prefix's own length"),
		Entry("ge above le", matching(`prefixes: [{prefix: 10.0.0.0/16, ge: 24, le: 20}]`), "ge must not be greater than le"),
		Entry("le above IPv4's", matching(`prefixes: [{prefix: 10.0.0.0/16, le: 64}]`), "must not be greater than 32"),
		Entry("ge above IPv6's", matching(`prefixes: [{prefix: "fd00::/8", ge: 129}]`), "should be less than or equal to 128"),
		Entry("no neighbors", matching(`neighbors: []`), "should have at least 1 items"),
		Entry("a neighbor with its length", matching(`neighbors: [192.0.2.1/32]`), "a neighbor must be an IP address, or the name of an interface"),
		Entry("a neighbor that is no device", matching(`neighbors: [a-name-that-is-too-long]`), "a neighbor must be an IP address, or the name of an interface"),
		Entry("an unknown kind", matching(`kinds: [Service]`), `supported values: "PodNetwork", "EgressIP"`),
		Entry("a kind twice", matching(`kinds: [EgressIP, EgressIP]`), "Duplicate value"),
	)
})
