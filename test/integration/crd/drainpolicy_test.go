// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	. "github.com/onsi/ginkgo/v2"
)

var _ = Describe("DrainPolicy", func() {
	const policy = resource("DrainPolicy")

	DescribeTable("create", policy.creates,
		Entry("nothing but defaults", `{}`, accepted),
		Entry("what it can do", `{nodeSelector: {matchLabels: {rack: a}},
			when: {cordon: false, taints: [{key: maintenance}, {key: example.com/down, value: "", effect: NoExecute}], annotation: false},
			do: {gracefulShutdown: false, withdraw: Everything, withdrawAfterSeconds: 0}}`, accepted),
		Entry("16 taints", `{when: {taints: `+repeated(16, `{key: taint-N}`)+`}}`, accepted),
		Entry("an hour", `{do: {withdrawAfterSeconds: 3600}}`, accepted),
		Entry("one trigger", `{when: {cordon: false}}`, accepted),

		Entry("no trigger", `{when: {cordon: false, annotation: false}}`, "one of cordon, taints and annotation must be set"),
		Entry("no taints", `{when: {taints: []}}`, "should have at least 1 items"),
		Entry("17 taints", `{when: {taints: `+repeated(17, `{key: taint-N}`)+`}}`, "must have at most 16 items"),
		Entry("a taint without a key", `{when: {taints: [{value: a}]}}`, "Required value"),
		Entry("an unknown effect", `{when: {taints: [{key: a, effect: NoRun}]}}`, `supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`),
		Entry("nothing to do", `{do: {gracefulShutdown: false, withdraw: Never}}`, "nothing would change on a node that drains"),
		Entry("an unknown withdrawal", `{do: {withdraw: All}}`, `supported values: "Shared", "Everything", "Never"`),
		Entry("more than an hour", `{do: {withdrawAfterSeconds: 3601}}`, "should be less than or equal to 3600"),
		Entry("a negative time", `{do: {withdrawAfterSeconds: -1}}`, "should be greater than or equal to 0"),
	)
})
