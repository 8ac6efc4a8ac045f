package e2e_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
)

// evpnBehindTwoToRs has the other end of the tunnels behind two routers that only pass
// them on. Nodes' ends are on no link of theirs.
func evpnBehindTwoToRs() lab.Description {
	d := lab.TwoToRs()
	d.LocalGateway, d.IPv6 = true, false
	return d
}

// Story 19: tunnels have two ways, and one of them is cut.
var _ = Describe("EVPN by two ToRs", Label("story19"), NeedsVRF, Slow, func() {
	It("carries flows on when packets no longer pass one of them", func(ctx context.Context) {
		l := use(ctx, evpnBehindTwoToRs())
		core, tors := l.Router("core"), []*lab.Router{l.Router("tor1"), l.Router("tor2")}
		e := startEVPN(ctx, l, core)
		n := network{
			cudn: "redundant", id: 20, topology: cni.Layer3, subnets: prefixes("22.190.0.0/16", "fd00:22:190::/48"),
			evpn: &cni.EVPN{VTEP: e.VTEP, IPVRF: &cni.VPN{VNI: 1900, VID: 2}},
		}
		startNetwork(ctx, l, n)
		_, server := startIPVRF(ctx, l, e, n, prefixes("172.20.190.0/24", "fd00:172:20:190::/64"))
		var pods []*cni.Pod
		for i, node := range []string{"node1", "node1", "node2", "node2"} {
			pods = append(pods, startPod(ctx, l, n.podOf(fmt.Sprintf("pod%d", i+1), node)))
		}
		apply(ctx, l, peering(l, tors...), overVRF("story19", "auto", n.selector()))

		By("both in use")
		for _, pod := range pods {
			expectEachOther(ctx, l, pod, server)
		}
		for _, node := range l.Nodes {
			expectWatched(ctx, node.FRR, len(tors))
		}
		expectWatched(ctx, core.FRR, len(tors))
		expectDistinct(ctx, core)
		flows := flowsOfEach(ctx, pods, server)
		cut := busier(ctx, tors...)
		for name, f := range flows {
			Expect(f.outage()).To(BeNumerically("<", notAnOutage), "%s, before anything happens", name)
		}

		By("one cut off, and nobody is told but by BFD")
		Expect(cut.Sever()).To(Succeed())
		severed := true
		DeferCleanup(func() {
			if severed {
				Expect(cut.Mend()).To(Succeed())
			}
		})
		for _, node := range l.Nodes {
			expectWatched(ctx, node.FRR, len(tors)-1)
		}
		expectSettled(ctx, flows, "one of two ToRs cut off, of which BFD takes 1.5 s to tell", soonerThanHoldTime)

		By("mended")
		flows = flowsOfEach(ctx, pods, server)
		Expect(cut.Mend()).To(Succeed())
		severed = false
		for _, node := range l.Nodes {
			expectWatched(ctx, node.FRR, len(tors))
		}
		expectSettled(ctx, flows, "the ToR back", notAnOutage)
	})
})

// flowsOfEach are a flow from and one to each pod, by name.
func flowsOfEach(ctx context.Context, pods []*cni.Pod, server *lab.Server) map[string]*streams {
	GinkgoHelper()
	flows := map[string]*streams{}
	for _, pod := range pods {
		in, out := "VXLAN, server to "+pod.Name, "VXLAN, "+pod.Name+" to server"
		flows[in], flows[out] = &streams{}, &streams{}
		flows[in].add(ctx, in, server.Machine, pod.Address(true))
		flows[out].add(ctx, out, pod.Machine, server.Address(true))
	}
	return flows
}

// busier is the router that sends most of what nodes send to the core. What there is of
// a session is less than flows are.
func busier(ctx context.Context, routers ...*lab.Router) *lab.Router {
	GinkgoHelper()
	before := map[*lab.Router]uint64{}
	for _, r := range routers {
		var err error
		before[r], err = sent(r.Machine, "core")
		Expect(err).NotTo(HaveOccurred())
	}
	var most *lab.Router
	const more = 300
	Eventually(ctx, func() (uint64, error) {
		var packets uint64
		for _, r := range routers {
			now, err := sent(r.Machine, "core")
			if err != nil {
				return 0, err
			}
			if now -= before[r]; now > packets {
				most, packets = r, now
			}
		}
		return packets, nil
	}).Should(BeNumerically(">", more), "packets that a ToR sends to the core")
	return most
}
