package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/routediff"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

const (
	ownerKey  = "ovnbgp.io/owner"
	blue      = "cluster_udn_blue"
	blueTable = 1005
	patience  = 15 * time.Second
)

// node is a node with its kernel and database, and an agent that can be
// started and stopped.
type node struct {
	ns       *testns.Namespace
	server   *nbserver.Server
	agent    *agent.Agent
	registry *prometheus.Registry
	settings agent.Settings
	networks []agent.Network
	interval time.Duration
	buffer   int
	endpoint []string
	// absentAfter is how long a Layer2 network's router has to be missing.
	absentAfter time.Duration
	// leftAfter is how long rows of route import have to differ from the kernel.
	leftAfter time.Duration
	// manageSNAT is --manage-snat.
	manageSNAT bool
	stop       func()
	// log is what the agents said.
	log *gbytes.Buffer
	// others is all that isn't ours; see foreign.
	others []string
}

// newNode makes a node with the default network and a network blue, whose
// routes are in table 1005: what reads a table does not care whether a VRF
// device has it.
func newNode() *node {
	n := &node{ns: testns.New(GinkgoTB()), server: nbserver.Start(GinkgoTB()), interval: time.Hour, log: gbytes.NewBuffer()}
	n.server.AddRouter(GinkgoTB(), "GR_n1")
	n.server.AddRouter(GinkgoTB(), "GR_cluster_udn_blue_n1")
	protected := []routediff.Protected{
		{Reason: model.SkipPodSubnet, Subnets: routediff.NewPrefixSet(netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("fd00:244::/48"))},
		{Reason: model.SkipServiceSubnet, Subnets: routediff.NewPrefixSet(netip.MustParsePrefix("10.96.0.0/16"))},
	}
	n.networks = []agent.Network{
		{Name: "default", Protected: protected, Gateways: []string{"gw0"}},
		{Name: blue, VRF: "blue", Table: blueTable, Protected: protected, Gateways: []string{"gw0"}},
	}
	n.endpoint = []string{n.server.Endpoint()}
	n.stop = func() {}
	DeferCleanup(func() { n.stop() })
	return n
}

// start starts an agent, as if the process were new.
func (n *node) start() {
	n.registry = prometheus.NewRegistry()
	log := funcr.New(func(_, line string) {
		_, _ = fmt.Fprintln(n.log, line)
		GinkgoWriter.Println(line)
	}, funcr.Options{Verbosity: 1})
	n.agent = agent.New(agent.Options{
		Settings: n.settings,
		Kernel:   kernel.Options{Namespace: n.ns.Handle, Interval: n.interval, Buffer: n.buffer, Log: log},
		OVN:      ovnnb.Options{Endpoints: n.endpoint, Node: "n1", Log: log, Silence: time.Second, Timeout: 20 * time.Second},
		Log:      log, Registry: n.registry, ManageSNAT: n.manageSNAT, AbsentAfter: n.absentAfter, LeftAfter: n.leftAfter,
	})
	n.agent.Apply(n.networks, true)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func(a *agent.Agent) {
		defer GinkgoRecover()
		defer close(done)
		Expect(a.Run(ctx)).To(Succeed())
	}(n.agent)
	n.stop = func() {
		cancel()
		<-done
		n.stop = func() {}
	}
}

// ip runs commands of ip in the node.
func (n *node) ip(commands ...string) { n.ns.IP(GinkgoTB(), commands...) }

// inOVN is what the router has of ours.
func (n *node) inOVN(router string) []string {
	var out []string
	for _, r := range n.server.Routes(GinkgoTB(), router, ownerKey) {
		if r.Owner == "agent" {
			Expect(r.Port).To(Equal("rtoe-" + router))
			out = append(out, r.Prefix+">"+r.NextHop)
		}
	}
	slices.Sort(out)
	return out
}

// inKernel is what iproute2 lists in a table, as the router should have it.
func (n *node) inKernel(table int) []string {
	out := []string{}
	for _, family := range []string{"-4", "-6"} {
		answer, err := exec.Command("ip", "-n", n.ns.Name, "-j", family, "route", "show", "table", fmt.Sprint(table), "proto", "bgp").CombinedOutput()
		// A table without routes does not exist.
		if err != nil && strings.Contains(string(answer), "does not exist") {
			continue
		}
		Expect(err).NotTo(HaveOccurred(), string(answer))
		out = append(out, wanted(answer, family)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type listedHop struct {
	Dev     string                `json:"dev"`
	Gateway string                `json:"gateway"`
	Via     struct{ Host string } `json:"via"`
	Flags   []string              `json:"flags"`
}

// wanted is the rule of what is imported, written once more and more simply
// than the agent has it.
func wanted(listing []byte, family string) []string {
	var routes []struct {
		listedHop
		Type     string
		Dst      string
		Metric   int
		Nexthops []listedHop
	}
	if len(listing) > 0 {
		Expect(json.Unmarshal(listing, &routes)).To(Succeed(), string(listing))
	}
	var out []string
	seen := map[string]bool{}
	for _, r := range routes {
		if r.Dst == "default" {
			continue
		}
		if !strings.Contains(r.Dst, "/") {
			r.Dst += map[string]string{"-4": "/32", "-6": "/128"}[family]
		}
		// The listing has the best metric first.
		if seen[r.Dst] || strings.HasPrefix(r.Dst, "10.244.") || strings.HasPrefix(r.Dst, "10.96.") {
			continue
		}
		seen[r.Dst] = true
		if slices.Contains([]string{"blackhole", "unreachable", "prohibit"}, r.Type) {
			out = append(out, r.Dst+">discard")
			continue
		}
		for _, hop := range append(r.Nexthops, r.listedHop) {
			if hop.Gateway != "" && hop.Dev == "gw0" && !slices.Contains(hop.Flags, "dead") {
				out = append(out, r.Dst+">"+hop.Gateway)
			}
		}
	}
	return out
}

// expectSame waits until both routers have what the kernel has.
func (n *node) expectSame() {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(n.inOVN("GR_n1")).To(HaveExactElements(anyOf(n.inKernel(254))...))
		g.Expect(n.inOVN("GR_cluster_udn_blue_n1")).To(HaveExactElements(anyOf(n.inKernel(blueTable))...))
	}, patience, 20*time.Millisecond).Should(Succeed())
}

func anyOf(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (n *node) state(network string) agent.NetworkState {
	for _, s := range n.agent.States() {
		if s.Network == network {
			return s
		}
	}
	return agent.NetworkState{}
}

func (n *node) expectReason(network, reason string) {
	GinkgoHelper()
	Eventually(func() string { return n.state(network).Reason }, patience, 10*time.Millisecond).Should(Equal(reason))
}

// figure is the sum of a metric over its labels.
func (n *node) figure(name string) float64 {
	families, err := n.registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, f := range families {
		if f.GetName() != "ovnbgp_agent_"+name {
			continue
		}
		for _, m := range f.Metric {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return total
}

// expectFigure waits until a metric is at least so high.
func (n *node) expectFigure(name string, least float64) {
	GinkgoHelper()
	Eventually(func() float64 { return n.figure(name) }, patience, 10*time.Millisecond).Should(BeNumerically(">=", least), name)
}

// expectLog waits until an agent says something.
func (n *node) expectLog(text string) {
	GinkgoHelper()
	Eventually(func() string { return string(n.log.Contents()) }, patience, 10*time.Millisecond).Should(ContainSubstring(text))
}

// expectOurs waits until our routes on both routers are those of the kernel.
func (n *node) expectOurs() {
	GinkgoHelper()
	ours := func(router string) []string {
		out := []string{}
		for _, r := range n.server.Routes(GinkgoTB(), router, "ovnbgp.io/node") {
			if r.Owner == "n1" && r.Port == "rtoe-"+router {
				out = append(out, r.Prefix+">"+r.NextHop)
			}
		}
		slices.Sort(out)
		return out
	}
	Eventually(func() string { return difference(ours("GR_n1"), n.inKernel(254)) }, patience, 20*time.Millisecond).Should(BeEmpty())
	Eventually(func() string { return difference(ours(blueRouter), n.inKernel(blueTable)) }, patience, 20*time.Millisecond).Should(BeEmpty())
}

// difference tells how OVN differs from the kernel, in a few words.
func difference(ovn, kernel []string) string {
	if slices.Equal(ovn, kernel) {
		return ""
	}
	var missing, surplus []string
	for _, r := range kernel {
		if !slices.Contains(ovn, r) {
			missing = append(missing, r)
		}
	}
	for _, r := range ovn {
		if !slices.Contains(kernel, r) {
			surplus = append(surplus, r)
		}
	}
	return fmt.Sprintf("%d in OVN, %d in the kernel; missing %.20v, surplus %.20v", len(ovn), len(kernel), missing, surplus)
}

const processVariable = "AGENT_TEST_PROCESS"

// limitVariable is its --max-routes-per-vrf.
const limitVariable = "AGENT_TEST_LIMIT"

// sum is the sum of what a histogram observed.
func (n *node) sum(name string) float64 {
	families, err := n.registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for _, f := range families {
		if f.GetName() == "ovnbgp_agent_"+name {
			for _, m := range f.Metric {
				total += m.GetHistogram().GetSampleSum()
			}
		}
	}
	return total
}

// startProcess starts the agent as a process that can be killed.
func (n *node) startProcess() *exec.Cmd { return n.startProcessArmed(func(func()) {}) }

// startProcessArmed is startProcess for who has a way to kill it.
func (n *node) startProcessArmed(arm func(kill func())) *exec.Cmd {
	command := exec.Command("ip", "netns", "exec", n.ns.Name, os.Args[0], "-test.run", "^TestAgent$")
	command.Env = append(os.Environ(), processVariable+"="+n.endpoint[0])
	started := make(chan struct{})
	arm(func() {
		<-started
		_ = command.Process.Kill()
	})
	Expect(command.Start()).To(Succeed())
	close(started)
	return command
}

// runProcess is that process.
func runProcess(endpoint string) {
	limit, _ := strconv.Atoi(os.Getenv(limitVariable))
	a := agent.New(agent.Options{
		Settings: agent.Settings{MaxRoutes: limit},
		Kernel:   kernel.Options{Log: GinkgoLogr},
		OVN:      ovnnb.Options{Endpoints: []string{endpoint}, Node: "n1", Log: GinkgoLogr},
		Log:      GinkgoLogr,
	})
	a.Apply([]agent.Network{{Name: "default", Gateways: []string{"gw0"}}, {Name: blue, VRF: "blue", Table: blueTable, Gateways: []string{"gw0"}}}, true)
	_ = a.Run(context.Background())
}
