package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
)

// withBFD is Default with a router that watches its sessions.
func withBFD() lab.Description {
	d := lab.Default()
	d.Routers[0].BFD = true
	return d
}

// Story 27: a template changes under traffic, and nobody notices.
var _ = Describe("A template that is changed", Label("story27"), func() {
	var (
		l        *lab.Lab
		tor      *lab.Router
		template string
		flows    streams
	)
	BeforeEach(func(ctx context.Context) {
		l = use(ctx, withBFD())
		tor = l.Router("tor")
		startFRRK8sWebhook(ctx, l)
		subnets := within(l, prefixes("172.20.27.0/24", "fd00:172:20:27::/64"))
		server := startServer(ctx, tor, "web", subnets...)
		pod := startPod(ctx, l, cni.PodSpec{Namespace: "story27", Name: "pod", Node: "node1"})
		// On a busy machine BFD would find a fault that has nothing to do with the change.
		Expect(tor.Configure(ctx, "bfd", "profile watched", "receive-interval 1000", "transmit-interval 1000", "detect-multiplier 10")).To(Succeed())
		template = strings.Replace(peering(l, tor), "receiveInterval: 300, transmitInterval: 300, detectMultiplier: 5",
			"receiveInterval: 1000, transmitInterval: 1000, detectMultiplier: 10", 1)
		apply(ctx, l, template, advertisement("story27", defaultNetwork))
		announce(ctx, tor, subnets...)
		expectExactly(ctx, tor, append(defaultPrefixes(l), subnets...)...)
		expectWatched(ctx, tor.FRR, len(l.Nodes)*len(l.Families()))
		flows = nil
		for _, ipv4 := range l.Families() {
			expectSeenAs(ctx, server.Machine, pod.Address(ipv4), server.Address(ipv4))
			expectSeenAs(ctx, pod.Machine, server.Address(ipv4), pod.Address(ipv4))
			// 1,000 packets a second, of which half begin outside and half inside.
			flows.addEvery(ctx, 4*time.Millisecond, familyName(ipv4)+", client to pod", server.Machine, pod.Address(ipv4))
			flows.addEvery(ctx, 4*time.Millisecond, familyName(ipv4)+", pod to server", pod.Machine, server.Address(ipv4))
		}
	})

	It("in its timers and its BFD profile loses no packet and withdraws no prefix", func(ctx context.Context) {
		changed := strings.NewReplacer(
			"holdTime: 9s", "holdTime: 30s", "keepaliveTime: 3s", "keepaliveTime: 10s", "detectMultiplier: 10", "detectMultiplier: 12",
		).Replace(template)
		_, err := l.Kube.Apply(ctx, changed)
		Expect(err).To(MatchError(ContainSubstring("denied the request")), "why there is kubectl ra apply")

		Eventually(ctx, flows.sent).Should(BeNumerically(">", 5000))
		flows.skipIfLossy(ctx)
		before := heardByRouter(ctx, tor)
		began := time.Now()
		Expect(kubectlRAApply(ctx, l, changed)).To(ContainSubstring("frrconfiguration.frrk8s.metallb.io/fabric configured in place"))
		took := time.Since(began)
		AddReportEntry("kubectl ra apply", fmt.Sprintf("took %.2f s on %d nodes", took.Seconds(), len(l.Nodes)))
		for _, n := range l.Nodes {
			Eventually(ctx, n.FRR.BGPConfig).Should(And(ContainSubstring("timers 10 30"), Not(ContainSubstring("timers 3 9"))), n.Name)
			Eventually(ctx, func(ctx context.Context) (string, error) { return n.FRR.Show(ctx, "show bfd peers") }).
				Should(And(ContainSubstring("Detect-multiplier: 12"), ContainSubstring("Status: up")), n.Name)
		}
		sent := flows.sent()
		Eventually(ctx, flows.sent).Should(BeNumerically(">", sent+5000))
		reportOutage("a template's timers changed", fmt.Sprintf("all of %d packets", flows.sent()), flows.outage())
		Expect(took).To(BeNumerically("<", changeWithin))

		flows.pause(true)
		Eventually(ctx, flows.lost).Should(BeZero(), "packets lost")
		Expect(heardByRouter(ctx, tor)).To(Equal(before), "what the router was told of prefixes, and by which sessions")
		expectExactly(ctx, tor, append(defaultPrefixes(l), within(l, prefixes("172.20.27.0/24", "fd00:172:20:27::/64"))...)...)
	})

	It("in its password loses its sessions, because TCP signs with it, and has them again", func(ctx context.Context) {
		changed := strings.ReplaceAll(template, "holdTime: 9s", "holdTime: 9s\n        password: open-sesame")
		before := heardByRouter(ctx, tor)
		Expect(kubectlRAApply(ctx, l, changed)).To(ContainSubstring("configured in place"))
		var commands []string
		for _, ipv4 := range l.Families() {
			commands = append(commands, fmt.Sprintf("neighbor nodes-%s password open-sesame", afiName(ipv4)))
		}
		Expect(tor.Configure(ctx, append([]string{fmt.Sprintf("router bgp %d", tor.ASN)}, commands...)...)).To(Succeed())
		DeferCleanup(func(ctx context.Context) {
			for i := range commands {
				commands[i] = "no " + commands[i]
			}
			Expect(tor.Configure(ctx, append([]string{fmt.Sprintf("router bgp %d", tor.ASN)}, commands...)...)).To(Succeed())
		})
		Eventually(ctx, func(ctx context.Context) bool {
			for peer, now := range heardByRouter(ctx, tor) {
				if now.Dropped == before[peer].Dropped || now.State != "Established" {
					return false
				}
			}
			return true
		}).Should(BeTrue(), "all sessions began anew, with the password")
		Eventually(ctx, flows.hasAnswers).Should(BeTrue())
		reportOutage("a template's and the router's password changed", "flows by the only router", flows.outage())
		expectExactly(ctx, tor, append(defaultPrefixes(l), within(l, prefixes("172.20.27.0/24", "fd00:172:20:27::/64"))...)...)
	})
})

func startFRRK8sWebhook(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	kubeconfig, err := l.Kube.Admit(ctx, l.Manager.Machine, kube.FRRK8sAccount)
	Expect(err).NotTo(HaveOccurred())
	webhook, err := frrk8s.StartWebhook(ctx, l.Manager.Machine, frrk8s.Options{Binaries: binaries, Kubeconfig: kubeconfig}, l.Kube.Client)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(webhook.Stop)
}

// kubectlRAApply applies a manifest as a user does, and returns what that prints.
func kubectlRAApply(ctx context.Context, l *lab.Lab, manifest string) (string, error) {
	const file = "/run/template.yaml"
	if err := l.Manager.Machine.WriteFile(file, manifest); err != nil {
		return "", err
	}
	return kubectlRA(ctx, l, "apply", "-f", file)
}

// kubectlRA runs the plugin as an administrator does, and returns what it prints.
func kubectlRA(ctx context.Context, l *lab.Lab, args ...string) (string, error) {
	kubeconfig, err := l.Kube.Admit(ctx, l.Manager.Machine, kube.FRRK8sAccount)
	if err != nil {
		return "", err
	}
	return l.Manager.Machine.Run(ctx, filepath.Join(binaries, "kubectl-ra"), append(args, "--kubeconfig="+kubeconfig)...)
}

// heard is what a router knows of a session: UPDATE messages bring prefixes and take
// them away.
type heard struct {
	State   string
	Dropped int
	Updates int
}

func heardByRouter(ctx context.Context, r *lab.Router) map[netip.Addr]heard {
	GinkgoHelper()
	var neighbors map[netip.Addr]struct {
		BgpState           string
		ConnectionsDropped int
		MessageStats       struct{ UpdatesRecv int }
	}
	Expect(r.FRR.ShowJSON(ctx, "show bgp neighbors json", &neighbors)).To(Succeed())
	out := map[netip.Addr]heard{}
	for peer, n := range neighbors {
		out[peer] = heard{n.BgpState, n.ConnectionsDropped, n.MessageStats.UpdatesRecv}
	}
	return out
}

func afiName(ipv4 bool) string {
	if ipv4 {
		return "ipv4"
	}
	return "ipv6"
}
