package agent

import (
	"context"
	"encoding/json"
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
		// Who has nobody to wait for it stays as a zombie.
		Eventually(func() string {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			_, state, _ := strings.Cut(string(stat), ") ")
			return state
		}, 4*patience, 5*time.Millisecond).Should(Or(BeEmpty(), HavePrefix("Z")), "%s of %s ends", daemon, r.name)
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

// watchOVN notes the rows of static routes. One process that watches disturbs
// less than many that look.
func (n *node) watchOVN(ctx context.Context) *outages {
	GinkgoHelper()
	o := &outages{gone: map[string]time.Time{}, back: map[string]time.Time{}}
	command := exec.CommandContext(ctx, "ovsdb-client", "monitor", "--format=json", n.server.Endpoint(), "OVN_Northbound", "Logical_Router_Static_Route", "ip_prefix")
	out, err := command.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(command.Start()).To(Succeed())
	initial := make(chan struct{})
	go func() {
		defer func() { _ = command.Wait() }()
		updates := json.NewDecoder(out)
		for first := true; ; first = false {
			var update struct{ Data [][]any }
			if updates.Decode(&update) != nil {
				return
			}
			for _, row := range update.Data {
				switch row[1] {
				case "insert", "initial":
					o.note(row[2].(string), true)
				case "delete":
					o.note(row[2].(string), false)
				}
			}
			if first {
				close(initial)
			}
		}
	}()
	Eventually(initial, patience).Should(BeClosed())
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
			Eventually(func() int {
				ovn.mu.Lock()
				defer ovn.mu.Unlock()
				count := 0
				for _, prefix := range prefixes {
					if !ovn.gone[prefix].After(ovn.back[prefix]) {
						count++
					}
				}
				return count
			}, patience).Should(Equal(len(prefixes)))
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
