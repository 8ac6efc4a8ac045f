package e2e_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// manyHosts are pods of one network on one node; kubelet's own limit is 110, and virtual
	// machines are denser.
	manyHosts = 1000
	// manyHostsMemory is what an agent may have in memory then.
	manyHostsMemory = 100 << 20
)

// tellOfManyHosts is story 28: a node with as many hosts as no node has.
func (s *sharedBoth) tellOfManyHosts() {
	It("tells the router of a thousand hosts of one node, and of none when they are gone", func(ctx context.Context) {
		node := s.l.Node("node1")
		before, err := node.Agent.Memory()
		Expect(err).NotTo(HaveOccurred())
		known := func(ctx context.Context) (int, error) {
			routes, err := s.evpn.Router.FRR.TypeTwos(ctx)
			hosts := map[string]bool{}
			for _, route := range routes {
				if strings.HasPrefix(route.MAC, "0a:00:de:") && route.IP.Is4() {
					hosts[route.MAC] = true
				}
			}
			return len(hosts), err
		}
		central, on := s.l.CNI.Central(node.Name), ovnk.Layer2Switch(s.name())
		ports := func(each func(port string, i int) []string) {
			GinkgoHelper()
			// As many as a command line may have.
			for from := 0; from < manyHosts; from += 250 {
				var commands []string
				for i := from; i < min(from+250, manyHosts); i++ {
					commands = append(append(commands, "--"), each(fmt.Sprintf("many_%d", i), i)...)
				}
				_, err := central.NB(ctx, commands...)
				Expect(err).NotTo(HaveOccurred())
			}
		}
		ports(func(port string, i int) []string {
			return []string{
				"lsp-add", on, port, "--", "set", "Logical_Switch_Port", port,
				fmt.Sprintf(`addresses="0a:00:de:00:%02x:%02x 22.160.%d.%d"`, i>>8, i&0xff, 8+i/250, 1+i%250),
				"options:requested-chassis=" + node.Name, "external_ids:pod=true", "external_ids:" + "k8s.ovn.org/network=" + s.name(),
			}
		})
		Eventually(ctx, known).Should(Equal(manyHosts))
		after, err := node.Agent.Memory()
		Expect(err).NotTo(HaveOccurred())
		AddReportEntry("memory of the agent", fmt.Sprintf("%d MiB, with %d hosts %d MiB", before>>20, manyHosts, after>>20))
		Expect(after).To(BeNumerically("<", manyHostsMemory))

		ports(func(port string, _ int) []string { return []string{"lsp-del", port} })
		Eventually(ctx, known).Should(BeZero())
		s.expectAsBefore(ctx)
	})
}
