package frr_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

func TestMain(m *testing.M) { machine.Main(m) }

const patience = 60 * time.Second

func router(t *testing.T, name, config string) *frr.FRR {
	t.Helper()
	m, err := machine.New(t.Context(), name, machine.Options{Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	began := time.Now()
	f, err := frr.Start(t.Context(), m, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s is up after %s", name, time.Since(began).Round(time.Millisecond))
	return f
}

func speaker(as, neighbor, neighborAS string) string {
	return strings.NewReplacer("AS", as, "NEIGHBOR", neighbor, "PEER", neighborAS).Replace(`
router bgp AS
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 1 3
 neighbor NEIGHBOR remote-as PEER
 neighbor NEIGHBOR timers connect 1
`)
}

func TestRoutersTellEachOther(t *testing.T) {
	g := NewWithT(t)
	a := router(t, "a", speaker("64999", "192.0.2.2", "64512"))
	b := router(t, "b", speaker("64512", "192.0.2.1", "64999"))
	g.Expect(machine.Link(
		machine.End{Machine: a.Machine, Name: "eth0", Addresses: []string{"192.0.2.1/24"}},
		machine.End{Machine: b.Machine, Name: "eth0", Addresses: []string{"192.0.2.2/24"}})).To(Succeed())
	ctx := t.Context()
	prefix := netip.MustParsePrefix("198.51.100.0/24")

	g.Eventually(func() (bool, error) { return b.Established(ctx, "", netip.MustParseAddr("192.0.2.1")) }).
		WithTimeout(patience).Should(BeTrue())
	g.Expect(b.Paths(ctx, "", prefix)).To(BeEmpty())

	g.Expect(a.Configure(ctx, "router bgp 64999\n address-family ipv4 unicast\n  network 198.51.100.0/24")).To(Succeed())
	g.Eventually(func() ([]frr.Path, error) { return b.Paths(ctx, "", prefix) }).WithTimeout(patience).Should(ConsistOf(frr.Path{
		From: netip.MustParseAddr("192.0.2.1"), NextHops: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Best: true, ASPath: "64999",
	}))
	g.Expect(b.Prefixes(ctx, "", true)).To(ConsistOf("198.51.100.0/24"))
	g.Expect(b.Paths(ctx, "", netip.MustParsePrefix("198.51.100.0/25"))).To(BeEmpty(), "a covering route is not this one")
	g.Expect(a.RunningConfig(ctx)).To(ContainSubstring("network 198.51.100.0/24"))
	g.Expect(a.Configure(ctx, "router bgp 64999\n no such command")).NotTo(Succeed())

	b.Daemon("bgpd").Kill()
	_, err := b.Paths(ctx, "", prefix)
	g.Expect(err).To(HaveOccurred())
	g.Expect(b.Restart(ctx)).To(Succeed())
	g.Eventually(func() ([]frr.Path, error) { return b.Paths(ctx, "", prefix) }).WithTimeout(patience).Should(HaveLen(1))
}
