package gobgp_test

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/gobgp"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

func TestMain(m *testing.M) { machine.Main(m) }

const patience = 60 * time.Second

const frrConfig = `
bfd
 profile fast
  receive-interval 300
  transmit-interval 300
router bgp 64512
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 192.0.2.2 remote-as 65000
 neighbor 192.0.2.2 password secret
 neighbor 192.0.2.2 bfd profile fast
 neighbor 192.0.2.2 timers connect 1
 address-family ipv4 unicast
  network 10.244.1.0/24
 address-family ipv6 unicast
  neighbor 192.0.2.2 activate
  network fd00:10:244:1::/64
`

// One session with a password and BFD, both families, both ways.
func TestFRRAndGoBGPTellEachOther(t *testing.T) {
	g, ctx, logs := NewWithT(t), t.Context(), t.TempDir()
	machines := map[string]*machine.Machine{}
	for _, name := range []string{"frr", "gobgp"} {
		m, err := machine.New(ctx, name, machine.Options{Logs: logs})
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { _ = m.Close() })
		machines[name] = m
	}
	g.Expect(machine.Link(
		machine.End{Machine: machines["frr"], Name: "eth0", Addresses: []string{"192.0.2.1/24", "2001:db8::1/64"}},
		machine.End{Machine: machines["gobgp"], Name: "eth0", Addresses: []string{"192.0.2.2/24", "2001:db8::2/64"}})).To(Succeed())
	f, err := frr.Start(ctx, machines["frr"], frrConfig)
	g.Expect(err).NotTo(HaveOccurred())
	r, err := gobgp.Start(ctx, machines["gobgp"], gobgp.Config{
		ASN: 65000, RouterID: netip.MustParseAddr("192.0.2.2"),
		Neighbors: []gobgp.Neighbor{{Address: netip.MustParseAddr("192.0.2.1"), ASN: 64512, Password: "secret", BFD: true}},
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Dump(ctx))
		}
	})
	peer := netip.MustParseAddr("192.0.2.1")
	g.Eventually(r.Established).WithContext(ctx).WithArguments(peer).WithTimeout(patience).Should(BeTrue())

	t.Run("from FRR, into the kernel", func(t *testing.T) {
		g := NewWithT(t)
		v4, v6 := netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("fd00:10:244:1::/64")
		g.Eventually(r.Learned).WithContext(ctx).WithArguments(true).WithTimeout(patience).Should(HaveKeyWithValue(v4, peer))
		g.Eventually(r.Learned).WithContext(ctx).WithArguments(false).WithTimeout(patience).
			Should(HaveKeyWithValue(v6, netip.MustParseAddr("2001:db8::1")))
		table, err := r.Table(ctx, true)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(table[v4]).To(Equal([]gobgp.Path{{NextHop: peer, From: peer, ASPath: []uint32{64512}, Best: true}}))
		g.Eventually(func() (string, error) { return r.Machine.Run(ctx, "ip", "route") }).Should(ContainSubstring("10.244.1.0/24 via 192.0.2.1 dev eth0 proto bgp"))
		g.Eventually(func() (string, error) { return r.Machine.Run(ctx, "ip", "-6", "route") }).Should(ContainSubstring("fd00:10:244:1::/64 via 2001:db8::1 dev eth0 proto bgp"))
	})
	t.Run("to FRR, and back", func(t *testing.T) {
		g := NewWithT(t)
		v4, v6 := netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8:113::/48")
		g.Expect(r.Announce(ctx, v4, v6)).To(Succeed())
		for _, prefix := range []netip.Prefix{v4, v6} {
			g.Eventually(f.Prefixes).WithContext(ctx).WithArguments("", prefix.Addr().Is4()).WithTimeout(patience).Should(ContainElement(prefix.String()))
		}
		g.Expect(r.Withdraw(ctx, v4)).To(Succeed())
		g.Eventually(f.Prefixes).WithContext(ctx).WithArguments("", true).WithTimeout(patience).ShouldNot(ContainElement(v4.String()))
		g.Expect(f.Prefixes(ctx, "", false)).To(ContainElement(v6.String()))
	})
	t.Run("BFD ends the session of a router that hangs", func(t *testing.T) {
		g := NewWithT(t)
		v6 := "2001:db8:113::/48"
		g.Eventually(f.Show).WithContext(ctx).WithArguments("show bfd peers brief").WithTimeout(patience).Should(MatchRegexp(`192\.0\.2\.2\s+up`))
		// Stopped, not killed: of a killed process the kernel ends the
		// session. The hold time is 9 s.
		g.Expect(r.Signal(syscall.SIGSTOP)).To(Succeed())
		began := time.Now()
		g.Eventually(f.Prefixes).WithContext(ctx).WithArguments("", false).WithTimeout(6 * time.Second).ShouldNot(ContainElement(v6))
		t.Logf("FRR dropped the routes %s after GoBGP hung", time.Since(began).Round(time.Millisecond))
		r.Kill()
		g.Expect(r.Restart(ctx)).To(Succeed())
		g.Eventually(r.Established).WithContext(ctx).WithArguments(peer).WithTimeout(patience).Should(BeTrue())
	})
}
