package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// The sessions' hold time is 9 seconds, of which at least 6 are left when a
// router dies. Who is faster than that was told by BFD.
const soonerThanHoldTime = 6 * time.Second

// Story 7: two routers lead to the same, and one of them dies.
var _ = Describe("Equal paths", Label("story7"), func() {
	It("carry flows on when one of two routers dies, and both carry them when it is back", func(ctx context.Context) {
		l := use(ctx, lab.TwoToRs())
		core, tor1, tor2 := l.Router("core"), l.Router("tor1"), l.Router("tor2")
		subnets := prefixes("172.20.70.0/24", "fd00:172:20:70::/64")
		server := startServer(ctx, core, "web", subnets...)
		var pods []*cni.Pod
		for i := range flowPods {
			pods = append(pods, startPod(ctx, l, cni.PodSpec{Namespace: "story7", Name: fmt.Sprintf("pod%d", i+1), Node: "node1"}))
		}
		apply(ctx, l, peering(l, tor1, tor2), advertisement("story7", defaultNetwork))
		announce(ctx, core, subnets...)

		By("both in use")
		expectRowsByAll(ctx, l, subnets, tor1, tor2)
		expectWaysBack(ctx, l, core, 2)
		for _, n := range l.Nodes {
			expectWatched(ctx, n.FRR, 2*len(l.Families()))
		}
		for _, ipv4 := range l.Families() {
			for _, pod := range pods {
				expectSeenAs(ctx, pod.Machine, server.Address(ipv4), pod.Address(ipv4))
				expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
			}
		}
		flows := startFlows(ctx, l, pods, server)
		expectCarrying(ctx, tor1)
		expectCarrying(ctx, tor2)
		for name, f := range flows {
			Expect(f.outage()).To(BeNumerically("<", notAnOutage), "%s, before anything happens", name)
		}

		By("one dead")
		Expect(tor1.PowerOff()).To(Succeed())
		off := true
		DeferCleanup(func(ctx context.Context) {
			if off {
				Expect(tor1.PowerOn(ctx)).To(Succeed())
			}
		})
		expectRowsByAll(ctx, l, subnets, tor2)
		expectWaysBack(ctx, l, core, 1)
		expectSettled(ctx, flows, "one of two routers dead", soonerThanHoldTime)

		By("back")
		flows = startFlows(ctx, l, pods, server)
		Expect(tor1.PowerOn(ctx)).To(Succeed())
		off = false
		expectRowsByAll(ctx, l, subnets, tor1, tor2)
		expectWaysBack(ctx, l, core, 2)
		expectCarrying(ctx, tor1)
		expectSettled(ctx, flows, "the router back", notAnOutage)
	})
})

// flowPods are enough for some flows to take either path. Open vSwitch chooses
// by addresses; UDP's ports don't matter to it.
const flowPods = 6

// startFlows are flows of both families both ways, by name.
func startFlows(ctx context.Context, l *lab.Lab, pods []*cni.Pod, server *lab.Server) map[string]*streams {
	GinkgoHelper()
	flows := map[string]*streams{}
	for _, ipv4 := range l.Families() {
		in, out := familyName(ipv4)+", client to pods", familyName(ipv4)+", pods to server"
		flows[in], flows[out] = &streams{}, &streams{}
		for _, pod := range pods {
			flows[in].add(ctx, in, server.Machine, pod.Address(ipv4))
			flows[out].add(ctx, out, pod.Machine, server.Address(ipv4))
		}
	}
	return flows
}

// expectSettled waits until all flows work, reports for how long they did not,
// and ends them.
func expectSettled(ctx context.Context, flows map[string]*streams, cause string, within time.Duration) {
	GinkgoHelper()
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		Eventually(ctx, flows[name].hasAnswers).Should(BeTrue(), "%s: %s", cause, name)
		reportOutage(cause, name, flows[name].outage())
	}
	for name, f := range flows {
		Expect(f.outage()).To(BeNumerically("<", within), "%s: %s", cause, name)
		f.end()
	}
}

// expectWaysBack waits until a router has sessions with this many others, and
// sends what is for pods to as many.
func expectWaysBack(ctx context.Context, l *lab.Lab, r *lab.Router, ways int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (int, error) { return established(ctx, r) }).
		Should(Equal(ways*len(l.Families())), "sessions of %s", r.Name)
	for _, subnet := range defaultPrefixes(l) {
		Eventually(ctx, func() ([]netip.Addr, error) { return nextHops(r, subnet) }).
			Should(HaveLen(ways), "next hops of %s to %s", r.Name, subnet)
	}
}

// established counts the sessions of a router that are up.
func established(ctx context.Context, r *lab.Router) (int, error) {
	var families map[string]struct {
		Peers map[string]struct{ State string }
	}
	if err := r.FRR.ShowJSON(ctx, "show bgp summary json", &families); err != nil {
		return 0, err
	}
	count := 0
	for _, family := range families {
		for _, peer := range family.Peers {
			if peer.State == "Established" {
				count++
			}
		}
	}
	return count, nil
}

// expectRowsByAll waits until all nodes have a row by each of the routers to
// each of the prefixes.
func expectRowsByAll(ctx context.Context, l *lab.Lab, to []netip.Prefix, routers ...*lab.Router) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		for _, prefix := range to {
			var via []netip.Addr
			for _, r := range routers {
				via = append(via, nextHop(r, prefix.Addr().Is4()))
			}
			expectRowsVia(ctx, l, n.Name, prefix, via...)
		}
	}
}

// expectWatched waits until BFD watches this many sessions.
func expectWatched(ctx context.Context, f *frr.FRR, sessions int) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) ([]string, error) {
		var peers []struct{ Peer, Status string }
		err := f.ShowJSON(ctx, "show bfd peers json", &peers)
		var up []string
		for _, peer := range peers {
			if peer.Status == "up" {
				up = append(up, peer.Peer)
			}
		}
		return up, err
	}).Should(HaveLen(sessions), "BFD sessions of %s that are up", f.Machine.Name)
}

// expectCarrying sees that a router sends more by its links than its sessions
// need, towards nodes as well as towards the core.
func expectCarrying(ctx context.Context, r *lab.Router) {
	GinkgoHelper()
	for _, device := range []string{lab.Uplink, "core"} {
		expectSending(ctx, r, device)
	}
}

// expectSending sees that a router sends more by a link than its sessions need.
func expectSending(ctx context.Context, r *lab.Router, device string) {
	GinkgoHelper()
	before, err := sent(r.Machine, device)
	Expect(err).NotTo(HaveOccurred())
	const within, more = 5 * time.Second, 150
	Eventually(ctx, func() (uint64, error) { return sent(r.Machine, device) }).WithTimeout(within).
		Should(BeNumerically(">", before+more), "packets that %s sends by %s", r.Name, device)
}

func sent(m *machine.Machine, device string) (uint64, error) {
	link, err := m.Netlink().LinkByName(device)
	if err != nil {
		return 0, err
	}
	return link.Attrs().Statistics.TxPackets, nil
}
