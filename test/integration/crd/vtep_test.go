// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = Describe("VTEP", func() {
	const vtep = resource("VTEP")

	DescribeTable("create", vtep.creates,
		Entry("one range", `{cidrs: [100.64.0.0/24]}`, accepted),
		Entry("Managed", `{mode: Managed, cidrs: [100.64.0.0/24]}`, accepted),
		Entry("Unmanaged", `{mode: Unmanaged, cidrs: [100.64.0.0/24]}`, accepted),
		Entry("an IPv6 range", `{cidrs: ["fd00:64::/64"]}`, accepted),
		Entry("both families", `{cidrs: [100.64.0.0/24, "fd00:64::/64"]}`, accepted),
		Entry("ranges side by side", `{cidrs: [100.64.0.0/24, 100.64.1.0/24]}`, accepted),
		Entry("single addresses", `{cidrs: [100.64.0.1/32, 100.64.0.2/32]}`, accepted),
		Entry("20 ranges", vtepRanges(20), accepted),

		Entry("21 ranges", vtepRanges(21), "must have at most 20 items"),
		Entry("no cidrs", `{mode: Managed}`, "spec.cidrs: Required value"),
		Entry("empty cidrs", `{cidrs: []}`, "should have at least 1 items"),
		Entry("no CIDR", `{cidrs: [100.64.0.0]}`, "must be a subnet in CIDR notation with no host bits set"),
		Entry("host bits", `{cidrs: [100.64.0.1/24]}`, "must be a subnet in CIDR notation with no host bits set"),
		Entry("IPv6 host bits", `{cidrs: ["fd00:64::1/64"]}`, "must be a subnet in CIDR notation with no host bits set"),
		Entry("an overlong CIDR", `{cidrs: ["`+strings.Repeat("0", 41)+`/24"]}`, "Too long"),
		Entry("a range twice", `{cidrs: [100.64.0.0/24, 100.64.0.0/24]}`, "cidrs must not overlap each other or repeat"),
		Entry("a range within another", `{cidrs: [100.64.0.0/16, 100.64.5.0/24]}`, "cidrs must not overlap each other or repeat"),
		Entry("a range around another", `{cidrs: ["fd00:64::/64", "fd00::/16"]}`, "cidrs must not overlap each other or repeat"),
		Entry("an unknown mode", `{mode: Static, cidrs: [100.64.0.0/24]}`, `supported values: "Managed", "Unmanaged"`),
	)

	const (
		removal = "cidrs of a Managed VTEP can't be removed"
		reorder = "cidrs of a Managed VTEP keep their order and can only be widened"
	)
	DescribeTable("update", vtep.updates,
		Entry("append a range", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.64.0.0/24, 100.65.0.0/24]}`, accepted),
		Entry("widen a range", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.64.0.0/23]}`, accepted),
		Entry("widen and append", `{cidrs: [100.64.1.0/24]}`, `{cidrs: [100.64.0.0/16, 100.65.0.0/24]}`, accepted),
		Entry("anything of an Unmanaged one", `{mode: Unmanaged, cidrs: [100.64.0.0/24, 100.65.0.0/24]}`,
			`{mode: Unmanaged, cidrs: [100.66.0.0/25]}`, accepted),
		Entry("to Unmanaged", `{cidrs: [100.64.0.0/24]}`, `{mode: Unmanaged, cidrs: [100.64.0.0/24]}`, accepted),
		Entry("to Managed", `{mode: Unmanaged, cidrs: [100.64.0.0/24]}`, `{mode: Managed, cidrs: [100.64.0.0/24]}`, accepted),
		Entry("to Managed, with fewer ranges", `{mode: Unmanaged, cidrs: [100.64.0.0/24, 100.65.0.0/24]}`, `{mode: Managed, cidrs: [100.64.0.0/24]}`, removal),
		Entry("to Managed, with narrower ones", `{mode: Unmanaged, cidrs: [100.64.0.0/24]}`, `{mode: Managed, cidrs: [100.64.0.0/25]}`, reorder),
		Entry("to Managed, with wider ones", `{mode: Unmanaged, cidrs: [100.64.0.0/24]}`, `{mode: Managed, cidrs: [100.64.0.0/23]}`, accepted),

		Entry("remove a range", `{cidrs: [100.64.0.0/24, 100.65.0.0/24]}`, `{cidrs: [100.64.0.0/24]}`, removal),
		Entry("narrow a range", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.64.0.0/25]}`, reorder),
		Entry("replace a range", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.66.0.0/16]}`, reorder),
		Entry("reorder ranges", `{cidrs: [100.64.0.0/24, 100.65.0.0/24]}`, `{cidrs: [100.65.0.0/24, 100.64.0.0/24]}`, reorder),
		Entry("put a range first", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.63.0.0/24, 100.64.0.0/24]}`, reorder),
		Entry("widen into another", `{cidrs: [100.64.0.0/24, 100.64.1.0/24]}`, `{cidrs: [100.64.0.0/23, 100.64.1.0/24]}`,
			"cidrs must not overlap each other or repeat"),
		Entry("break a range", `{cidrs: [100.64.0.0/24]}`, `{cidrs: [100.64.0.0]}`,
			"must be a subnet in CIDR notation with no host bits set"),
	)
})

func vtepRanges(count int) string {
	ranges := make([]string, 0, count)
	for i := range count {
		ranges = append(ranges, fmt.Sprintf("100.64.%d.0/24", i))
	}
	return "{cidrs: [" + strings.Join(ranges, ", ") + "]}"
}
