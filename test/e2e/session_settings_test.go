package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

// anASEach is TwoToRs with an AS for each of the routers.
func anASEach() lab.Description {
	d := lab.TwoToRs()
	d.Routers[1].ASN = 64998
	d.ManagerArgs = []string{"--frr-raw"}
	return d
}

// Story 33: an annotation on the template sets what frr-k8s has no fields for.
var _ = Describe("Settings of sessions", Label("story33"), func() {
	It("have two routers of different ASes carry flows, limit a neighbor, and leave nothing behind", func(ctx context.Context) {
		l := use(ctx, anASEach())
		core, tor1, tor2 := l.Router("core"), l.Router("tor1"), l.Router("tor2")
		subnets := within(l, prefixes("172.20.33.0/24", "fd00:172:20:33::/64"))
		fabric := peering(l, tor1, tor2)
		apply(ctx, l, fabric, advertisement("story33", defaultNetwork))
		announce(ctx, core, subnets...)
		expectFRRConfigured(ctx, l, "story33")
		expectWaysFromNodes(ctx, l, subnets, 1)
		before := sortedConfig(ctx, l.Nodes[0])

		By("paths by different ASes taken for equal")
		annotate(ctx, l, fabric, relaxed(tor1, 100))
		expectWaysFromNodes(ctx, l, subnets, 2)
		for _, n := range l.Nodes {
			for _, address := range tor1.Addresses {
				Eventually(ctx, n.FRR.BGPConfig).Should(And(
					ContainSubstring("neighbor %s passive\n", address.Addr()), ContainSubstring("neighbor %s maximum-prefix 100\n", address.Addr())), n.Name)
			}
		}
		expectReloadChangesNothing(ctx, l.Nodes[0])

		By("more prefixes than allowed: the session ends, and the other router's go on")
		announce(ctx, tor1, within(l, prefixes("172.20.34.0/24", "172.20.35.0/24", "fd00:172:20:34::/64", "fd00:172:20:35::/64"))...)
		annotate(ctx, l, fabric, relaxed(tor1, 1))
		expectWaysFromNodes(ctx, l, subnets, 1)
		for _, address := range tor1.Addresses {
			Eventually(ctx, func(ctx context.Context) (string, error) {
				sessions, err := l.Nodes[0].FRR.Sessions(ctx)
				return sessions[address.Addr().String()], err
			}).Should(Equal("Idle (PfxCt)"))
		}

		By("the annotation gone: FRR has what it had before")
		annotate(ctx, l, fabric, "")
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.BGPConfig).ShouldNot(Or(ContainSubstring("passive"), ContainSubstring("maximum-prefix")), n.Name)
			for _, address := range tor1.Addresses {
				// FRR leaves it to people to start a session again that it ended for its prefixes.
				_, err := n.Machine.Run(ctx, "vtysh", "-c", "clear bgp "+address.Addr().String())
				Expect(err).NotTo(HaveOccurred())
			}
		}
		for _, address := range tor1.Addresses {
			Eventually(ctx, l.Nodes[0].FRR.Established).WithArguments("", address.Addr()).Should(BeTrue())
		}
		Expect(sortedConfig(ctx, l.Nodes[0])).To(Equal(before))
		expectReloadChangesNothing(ctx, l.Nodes[0])
	})
})

// relaxed are settings by which paths of different ASes are equal, and a router has to
// connect and may announce this many prefixes.
func relaxed(r *lab.Router, most int) string {
	var neighbors []string
	for _, address := range r.Addresses {
		neighbors = append(neighbors, fmt.Sprintf("{address: '%s', passive: true, maximumPrefixes: {%s: %d}}", address.Addr(), afiName(address.Addr().Is4()), most))
	}
	return fmt.Sprintf("{neighbors: [%s], routers: [{multipathRelax: true}]}", strings.Join(neighbors, ", "))
}

// annotate applies templates with settings of sessions, "" for none.
func annotate(ctx context.Context, l *lab.Lab, templates, settings string) {
	GinkgoHelper()
	annotation := ""
	if settings != "" {
		annotation = fmt.Sprintf("\n  annotations:\n    %s: \"%s\"", model.AnnotationSessionSettings, settings)
	}
	_, err := l.Kube.Apply(ctx, strings.ReplaceAll(templates, "\nmetadata:", "\nmetadata:"+annotation))
	Expect(err).NotTo(HaveOccurred())
}

// expectWaysFromNodes waits until all nodes have this many next hops to each of the
// prefixes.
func expectWaysFromNodes(ctx context.Context, l *lab.Lab, to []netip.Prefix, ways int) {
	GinkgoHelper()
	for _, n := range l.Nodes {
		for _, prefix := range to {
			Eventually(ctx, func() (int, error) {
				routes, err := kernelRoutes(n.Machine)
				for _, r := range routes {
					if r.Destination == prefix {
						return len(r.NextHops), err
					}
				}
				return 0, err
			}).Should(Equal(ways), "next hops of %s to %s", n.Name, prefix)
		}
	}
}

// expectReloadChangesNothing sees that another reload of what frr-k8s wrote would add and
// remove nothing, but for two lines of frr-k8s' own that FRR never prints.
func expectReloadChangesNothing(ctx context.Context, n *lab.Node) {
	GinkgoHelper()
	text, err := n.Machine.Run(ctx, "python3", "/usr/lib/frr/frr-reload.py", "--test", "--stdout", frrk8s.ConfigFile)
	Expect(err).NotTo(HaveOccurred(), text)
	_, changes, _ := strings.Cut(text, "\nLines To ")
	for line := range strings.Lines(changes) {
		line = strings.TrimSpace(line)
		Expect(line).To(Or(BeEmpty(), HavePrefix("="), Equal("Add"), MatchRegexp("^(ip|ipv6) nht resolve-via-default$")), "what a reload would change on %s:\n%s", n.Name, text)
	}
}
