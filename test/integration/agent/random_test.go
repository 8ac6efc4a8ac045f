package agent

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
)

// Whatever happens in whatever order, OVN ends as the kernel.
var _ = Describe("Random changes and faults", func() {
	for seed := range uint64(4) {
		It(fmt.Sprintf("end with OVN as the kernel, and nothing of others touched (seed %d)", seed), func() {
			n := newNode()
			n.foreign()
			n.interval = 2 * time.Second
			if seed%2 == 1 {
				n.buffer = 8192
			}
			between := newCutter(n.server.Endpoint())
			n.endpoint = []string{between.endpoint()}
			n.start()
			random := rand.New(rand.NewPCG(seed, 5))
			for range 12 {
				var commands []string
				for range 1 + random.IntN(80) {
					commands = append(commands, randomChange(random))
				}
				_, _ = n.ns.Try(commands...)
				n.randomFault(random, between)
				if random.IntN(3) == 0 {
					n.expectOurs()
				}
			}
			n.expectOurs()
			n.expectForeign()
		})
	}
})

func randomChange(random *rand.Rand) string {
	table := []int{254, blueTable}[random.IntN(2)]
	verb := []string{"replace", "replace", "del"}[random.IntN(3)]
	v4 := fmt.Sprintf("%s 10.%d.%d.0/24 table %d proto bgp", verb, random.IntN(3), random.IntN(10), table)
	v6 := fmt.Sprintf("%s fd01:%d::/64 table %d proto bgp", verb, random.IntN(10), table)
	hop := func() int { return 2 + random.IntN(6) }
	switch random.IntN(9) {
	case 0, 1, 2:
		return fmt.Sprintf("route %s via 172.18.0.%d", v4, hop())
	case 3:
		return fmt.Sprintf("route %s nexthop via 172.18.0.%d nexthop via 172.19.0.%d nexthop via 172.18.0.%d", v4, hop(), hop(), hop())
	case 4:
		return strings.Replace("route "+v4, verb+" ", verb+" blackhole ", 1)
	case 5, 6:
		return fmt.Sprintf("route %s via fe80::%d dev gw0", v6, hop())
	case 7:
		return fmt.Sprintf("route %s nexthop via fe80::%d dev gw0 nexthop via fe80::%d dev other0", v6, hop(), hop())
	default:
		return fmt.Sprintf("route %s via 172.18.0.%d", fmt.Sprintf("%s 10.244.%d.0/24 table %d proto bgp", verb, random.IntN(10), table), hop())
	}
}

// randomFault does something that happens.
func (n *node) randomFault(random *rand.Rand, between *cutter) {
	switch random.IntN(8) {
	case 0:
		n.server.Kill()
		n.server.Run(GinkgoTB())
	case 1:
		between.cut()
	case 2:
		between.budget.Store(random.Int64N(5000))
	case 3:
		n.ip("link set gw0 down", "link set gw0 up")
	case 4:
		n.server.Transact(GinkgoTB(), map[string]any{"op": "update", "table": "Logical_Router_Static_Route",
			"where": []any{[]any{"external_ids", "includes", []any{"map", [][]string{{"ovnbgp.io/node", "n1"}}}}},
			"row":   map[string]any{"nexthop": "172.18.0.66"}})
	case 5:
		n.stop()
		n.start()
	case 6:
		n.flush()
	}
}
