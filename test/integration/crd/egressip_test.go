// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	. "github.com/onsi/ginkgo/v2"
)

var _ = Describe("EgressIP", func() {
	const egressIP = resource("EgressIP")

	// OVN-Kubernetes leaves the addresses themselves to its own admission, so
	// that a strange one is no reason to refuse the object here.
	DescribeTable("create", egressIP.creates,
		Entry("IPv4", `{egressIPs: [192.0.2.10], namespaceSelector: {}}`, accepted),
		Entry("both families", `{egressIPs: [192.0.2.10, "2001:db8::10"], namespaceSelector: {}}`, accepted),
		Entry("a podSelector", `{egressIPs: [192.0.2.10], namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}`, accepted),
		Entry("a selector by expression",
			`{egressIPs: [192.0.2.10], namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [blue]}]}}`, accepted),
		Entry("something that is no address", `{egressIPs: [later], namespaceSelector: {}}`, accepted),

		Entry("no egressIPs", `{namespaceSelector: {}}`, "spec.egressIPs: Required value"),
		Entry("no namespaceSelector", `{egressIPs: [192.0.2.10]}`, "spec.namespaceSelector: Required value"),
		Entry("egressIPs that is no list", `{egressIPs: 192.0.2.10, namespaceSelector: {}}`, "spec.egressIPs in body must be of type array"),
		Entry("an expression without operator",
			`{egressIPs: [192.0.2.10], namespaceSelector: {matchExpressions: [{key: team}]}}`, "operator: Required value"),
	)

	DescribeTable("update", egressIP.updates,
		Entry("the addresses", `{egressIPs: [192.0.2.10], namespaceSelector: {}}`,
			`{egressIPs: [192.0.2.11, 192.0.2.12], namespaceSelector: {}}`, accepted),
		Entry("the selectors", `{egressIPs: [192.0.2.10], namespaceSelector: {}}`,
			`{egressIPs: [192.0.2.10], namespaceSelector: {matchLabels: {team: blue}}, podSelector: {}}`, accepted),
		Entry("the namespaceSelector away", `{egressIPs: [192.0.2.10], namespaceSelector: {}}`,
			`{egressIPs: [192.0.2.10]}`, "spec.namespaceSelector: Required value"),
	)
})
