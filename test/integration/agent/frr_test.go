package agent

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const frrFolder = "/usr/lib/frr"

// router is an FRR of one network namespace.
type router struct {
	name   string
	ns     *testns.Namespace
	config string
}

// startFRR starts zebra and bgpd with a configuration. -N keeps the routers'
// files apart.
func startFRR(ns *testns.Namespace, config string) *router {
	GinkgoHelper()
	r := &router{name: ns.Name, ns: ns}
	must(exec.Command("install", "-d", "-o", "frr", "-g", "frr", "/etc/frr/"+r.name, "/var/run/frr/"+r.name).CombinedOutput())
	r.config = "/etc/frr/" + r.name + "/frr.conf"
	Expect(os.WriteFile(r.config, []byte(config), 0o644)).To(Succeed())
	DeferCleanup(func() {
		r.kill(syscall.SIGKILL, "bgpd", "mgmtd", "zebra")
		_ = os.RemoveAll("/etc/frr/" + r.name)
	})
	r.start("zebra", "mgmtd", "bgpd")
	return r
}

func (r *router) start(daemons ...string) {
	GinkgoHelper()
	for _, daemon := range daemons {
		arguments := []string{"netns", "exec", r.ns.Name, filepath.Join(frrFolder, daemon), "-N", r.name, "-d", "-A", "127.0.0.1", "--log", "file:/tmp/" + r.name + ".log"}
		if daemon == "zebra" {
			arguments = append(arguments, "-s", "90000000")
		}
		// With a pipe for its output the daemon would keep Run waiting.
		Expect(exec.Command("ip", arguments...).Run()).To(Succeed(), daemon)
	}
	must(exec.Command("vtysh", "-N", r.name, "-f", r.config).CombinedOutput())
}

// kill ends daemons and waits until they are gone.
func (r *router) kill(signal syscall.Signal, daemons ...string) {
	for _, daemon := range daemons {
		text, err := os.ReadFile("/var/run/frr/" + r.name + "/" + daemon + ".pid")
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || syscall.Kill(pid, signal) != nil {
			continue
		}
		Eventually(func() error { return syscall.Kill(pid, 0) }, patience, 5*time.Millisecond).Should(MatchError(syscall.ESRCH))
	}
}

// outages are when prefixes were last gone, and when they came back.
type outages struct {
	mu         sync.Mutex
	gone, back map[string]time.Time
}

func (o *outages) note(prefix string, there bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if there {
		o.back[prefix] = time.Now()
	} else {
		o.gone[prefix] = time.Now()
	}
}

// watchKernel notes the BGP routes of the node's main table.
func (n *node) watchKernel(ctx context.Context) *outages {
	GinkgoHelper()
	o := &outages{gone: map[string]time.Time{}, back: map[string]time.Time{}}
	updates := make(chan netlink.RouteUpdate, 4096)
	Expect(netlink.RouteSubscribeWithOptions(updates, ctx.Done(), netlink.RouteSubscribeOptions{Namespace: &n.ns.Handle})).To(Succeed())
	go func() {
		for u := range updates {
			if u.Protocol == unix.RTPROT_BGP && u.Dst != nil {
				o.note(u.Dst.String(), u.Type == unix.RTM_NEWROUTE)
			}
		}
	}()
	return o
}

// watchOVN notes our rows, looking again and again.
func (n *node) watchOVN(ctx context.Context) *outages {
	o := &outages{gone: map[string]time.Time{}, back: map[string]time.Time{}}
	there := map[string]bool{}
	go func() {
		defer GinkgoRecover()
		for ctx.Err() == nil {
			now := map[string]bool{}
			for _, r := range n.inOVN("GR_n1") {
				prefix, _, _ := strings.Cut(r, ">")
				now[prefix] = true
			}
			for prefix := range there {
				if !now[prefix] {
					o.note(prefix, false)
				}
			}
			for prefix := range now {
				if !there[prefix] {
					o.note(prefix, true)
				}
			}
			there = now
		}
	}()
	return o
}

var _ = Describe("FRR", func() {
	// lag is how much later than the kernel OVN may have a route back: what
	// an agent needs for some hundred routes, and a look at the database.
	const lag = 2 * time.Second

	var n *node
	var bgp *router
	prefixes := func() (out []string) {
		for i := range 300 {
			out = append(out, netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24).String())
		}
		return out
	}()

	BeforeEach(func() {
		if _, err := os.Stat(frrFolder); err != nil {
			complain := Skip
			if os.Getenv(testns.VRFRequiredVariable) != "" {
				complain = Fail
			}
			complain("NOT TESTED: FRR is missing; `make test-vm` has it, or install the package frr")
		}
		n = newNode()
		tor := testns.New(GinkgoTB())
		n.ip("link add fab0 type veth peer name tor0 netns "+tor.Name, "link set fab0 up", "addr add 172.30.0.1/24 dev fab0")
		tor.IP(GinkgoTB(), "link set tor0 up", "addr add 172.30.0.2/24 dev tor0")
		n.networks[0].Gateways = []string{"fab0"}
		var announced strings.Builder
		for _, prefix := range prefixes {
			fmt.Fprintf(&announced, "  network %s\n", prefix)
		}
		peer := func(own, other, address string) string {
			return fmt.Sprintf("router bgp %s\n bgp router-id 192.0.2.%s\n no bgp ebgp-requires-policy\n no bgp network import-check\n"+
				" neighbor %s remote-as %s\n neighbor %s timers connect 1\n neighbor %s advertisement-interval 0\n",
				own, own[3:], address, other, address, address)
		}
		startFRR(tor, peer("64999", "64512", "172.30.0.1")+" address-family ipv4 unicast\n"+announced.String())
		bgp = startFRR(n.ns, peer("64512", "64999", "172.30.0.2"))
		n.foreign()
		n.start()
		Eventually(func() int { return len(n.inOVN("GR_n1")) - 2 }, 4*patience).Should(Equal(len(prefixes)))
	})

	for name, restart := range map[string]func(){
		"bgpd is killed and started again": func() {
			bgp.kill(syscall.SIGKILL, "bgpd")
			bgp.start("bgpd")
		},
		"all of FRR is stopped and started again": func() {
			bgp.kill(syscall.SIGTERM, "bgpd", "mgmtd", "zebra")
			bgp.start("zebra", "mgmtd", "bgpd")
		},
	} {
		It("makes no blackhole longer than its own when "+name, func() {
			ctx, stop := context.WithCancel(context.Background())
			DeferCleanup(stop)
			kernel, ovn := n.watchKernel(ctx), n.watchOVN(ctx)
			began := time.Now()
			restart()
			Eventually(func() int {
				kernel.mu.Lock()
				defer kernel.mu.Unlock()
				count := 0
				for _, prefix := range prefixes {
					if kernel.back[prefix].After(kernel.gone[prefix]) && kernel.gone[prefix].After(began) {
						count++
					}
				}
				return count
			}, 8*patience, 20*time.Millisecond).Should(Equal(len(prefixes)), "FRR takes its routes away and brings them back")
			Eventually(func() int { return len(n.inOVN("GR_n1")) - 2 }, patience).Should(Equal(len(prefixes)))
			<-time.After(200 * time.Millisecond) // One more look of watchOVN.
			stop()

			var longest, extra time.Duration
			kernel.mu.Lock()
			defer kernel.mu.Unlock()
			ovn.mu.Lock()
			defer ovn.mu.Unlock()
			for _, prefix := range prefixes {
				longest = max(longest, kernel.back[prefix].Sub(kernel.gone[prefix]))
				extra = max(extra, ovn.back[prefix].Sub(kernel.back[prefix]))
			}
			GinkgoWriter.Printf("FRR's own outage was %v at most; OVN had the routes back %v later at most\n", longest, extra)
			AddReportEntry(name, fmt.Sprintf("FRR's own outage %v, OVN %v later", longest, extra))
			Expect(extra).To(BeNumerically("<", lag))
			n.expectForeign()
			n.expectReason("default", agent.ReasonSynced)
			Expect(n.state("default").Imported).To(Equal(len(prefixes)))
			Expect(n.figure("repairs_total")).To(BeZero())
			n.expectFigure("rows_written_total", float64(len(prefixes)))
		})
	}
})
