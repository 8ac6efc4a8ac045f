package agent

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// buildAgent builds the binary that is shipped, once.
var buildAgent = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "agent")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, "agent")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, "github.com/ovn-bgp-operator/ovn-bgp-operator/cmd/agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

// started runs a process until the spec ends, and returns its output.
func started(run *exec.Cmd) *gbytes.Buffer {
	GinkgoHelper()
	logs := gbytes.NewBuffer()
	run.Stdout, run.Stderr = logs, logs
	Expect(run.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		GinkgoWriter.Println(string(logs.Contents()))
	})
	return logs
}

// The process runs in the node's namespace, with the rights that config/agent
// gives it, against a real API server.
var _ = Describe("The process", Ordered, ContinueOnFailure, func() {
	var (
		plane      *controlplane.ControlPlane
		api        client.Client
		kubeconfig string
		binary     string
	)
	BeforeAll(func() {
		plane = controlplane.StartForTest(GinkgoTB(), controlplane.Options{})
		Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())
		var err error
		api, err = client.New(plane.Config, client.Options{Scheme: scheme.Scheme})
		Expect(err).NotTo(HaveOccurred())
		binary, err = buildAgent()
		Expect(err).NotTo(HaveOccurred())

		// Its rights are those that config/agent gives.
		root, err := controlplane.RepositoryRoot()
		Expect(err).NotTo(HaveOccurred())
		admin := filepath.Join(GinkgoT().TempDir(), "admin")
		Expect(plane.WriteKubeconfig(admin)).To(Succeed())
		for _, file := range []string{"role.yaml", "role_binding.yaml"} {
			out, err := exec.Command(plane.Binaries.Kubectl, "--kubeconfig", admin, "apply", "-f", filepath.Join(root, "config", "agent", file)).CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
		}
		user, err := plane.AddUser("system:serviceaccount:ovn-bgp-agent-system:ovn-bgp-agent", "system:serviceaccounts")
		Expect(err).NotTo(HaveOccurred())
		kubeconfig = filepath.Join(GinkgoT().TempDir(), "agent")
		Expect(user.WriteKubeconfig(kubeconfig)).To(Succeed())

		n1 := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
		Expect(api.Create(ctx(), n1)).To(Succeed())
		Expect(api.Create(ctx(), decided(n1))).To(Succeed())
	})

	command := func(n *node, arguments ...string) *exec.Cmd {
		relay(n, plane)
		arguments = append([]string{"netns", "exec", n.ns.Name, binary}, append(arguments,
			"--node=n1", "--kubeconfig="+kubeconfig, "--ovn-nb="+n.server.Endpoint(), "--cluster-subnets=10.244.0.0/16", "--service-subnets=10.96.0.0/16",
			"--log-format=text", "--timeout=20s", "--metrics-bind-address=127.0.0.1:8082", "--metrics-secure=false", "--health-probe-bind-address=127.0.0.1:8083")...)
		return exec.Command("ip", arguments...)
	}

	It("imports once and exits, and prints the routes", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add 10.2.0.0/24 via 172.19.0.2 proto bgp",
			"route add 10.244.3.0/24 via 172.18.0.2 proto bgp", "route add blackhole 10.3.0.0/24 proto bgp")
		out, err := command(n, "routes").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(string(out)).To(MatchRegexp(`default +default +10\.1\.0\.0/24 +172\.18\.0\.2 dev gw0 +- +NotWrittenYet`))

		out, err = command(n, "--once").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(n.inOVN("GR_n1")).To(HaveExactElements("10.1.0.0/24>172.18.0.2", "10.3.0.0/24>discard"))

		out, err = command(n, "routes").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		GinkgoWriter.Println(string(out))
		Expect(string(out)).To(MatchRegexp(`default +default +10\.1\.0\.0/24 +172\.18\.0\.2 dev gw0 +172\.18\.0\.2 *\n`))
		Expect(string(out)).To(MatchRegexp(`10\.2\.0\.0/24 +172\.19\.0\.2 dev other0 +- +ForeignLink`))
		Expect(string(out)).To(MatchRegexp(`10\.3\.0\.0/24 +discard +discard *\n`))
		Expect(string(out)).To(MatchRegexp(`10\.244\.3\.0/24 +172\.18\.0\.2 dev gw0 +- +PodSubnet`))
	})

	It("only observes, reports what it would do, and writes nothing to OVN", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add 10.2.0.0/24 via 172.19.0.2 proto bgp", "route add blackhole 10.3.0.0/24 proto bgp")
		started(command(n, "--observe-only", "--manage-snat", "--manage-vrfs"))
		reported := func() v1alpha1.NetworkRouteState {
			var object v1alpha1.NodeRouteState
			_ = api.Get(ctx(), client.ObjectKey{Name: "n1"}, &object)
			if len(object.Status.Networks) == 0 {
				return v1alpha1.NetworkRouteState{}
			}
			return object.Status.Networks[0]
		}
		synced := func() metav1.Condition {
			if c := meta.FindStatusCondition(reported().Conditions, v1alpha1.ConditionSynced); c != nil {
				return *c
			}
			return metav1.Condition{}
		}
		Eventually(synced, patience).Should(And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", agent.ReasonObserveOnly),
			HaveField("Message", ContainSubstring("would change 2 rows of GR_n1"))))
		n.ip("route add 10.4.0.0/24 via 172.18.0.2 proto bgp")
		Eventually(synced, patience).Should(HaveField("Message", ContainSubstring("would change 3 rows")))
		Expect(reported()).To(And(HaveField("Learned", BeEquivalentTo(4)), HaveField("Imported", BeEquivalentTo(0)),
			HaveField("Skipped", ConsistOf(v1alpha1.SkippedRoutes{Reason: "ForeignLink", Count: 1}))))
		Expect(n.inOVN("GR_n1")).To(BeEmpty())
	})

	It("tells what it did in the node's NodeRouteState, in events and in metrics", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add 10.2.0.0/24 via 172.19.0.2 proto bgp")
		run := command(n, "--max-routes-per-vrf=2")
		logs := started(run)
		state := func() v1alpha1.NodeRouteStateStatus {
			var object v1alpha1.NodeRouteState
			_ = api.Get(ctx(), client.ObjectKey{Name: "n1"}, &object)
			return object.Status
		}
		Eventually(func() int64 { return state().Learned }, patience).Should(BeEquivalentTo(2))
		Eventually(func() bool { return meta.IsStatusConditionTrue(state().Conditions, v1alpha1.ConditionSynced) }, patience).Should(BeTrue())
		got := state()
		Expect(got.Imported).To(BeEquivalentTo(1))
		Expect(got.Networks).To(HaveLen(1))
		Expect(got.Networks[0].Name).To(Equal("default"))
		Expect(got.Networks[0].Table).To(BeEquivalentTo(254))
		Expect(got.Networks[0].GatewayRouter).To(Equal("GR_n1"))
		Expect(got.Networks[0].Skipped).To(ConsistOf(v1alpha1.SkippedRoutes{Reason: "ForeignLink", Count: 1}))
		var object v1alpha1.NodeRouteState
		Expect(api.Get(ctx(), client.ObjectKey{Name: "n1"}, &object)).To(Succeed())
		Expect(object.OwnerReferences).To(HaveLen(1))

		By("going over the limit")
		n.ip("route add 10.3.0.0/24 via 172.18.0.2 proto bgp", "route add 10.4.0.0/24 via 172.18.0.2 proto bgp")
		Eventually(func() bool { return meta.IsStatusConditionFalse(state().Conditions, v1alpha1.ConditionWithinLimit) }, patience).Should(BeTrue())
		Eventually(func() string {
			return string(must(exec.Command(plane.Binaries.Kubectl, "--kubeconfig", adminOf(plane), "get", "events", "-A", "-o", "custom-columns=R:.reason,M:.message,N:.note").CombinedOutput()))
		}, patience).Should(ContainSubstring("OverLimit"))
		metrics := string(must(exec.Command("ip", "netns", "exec", n.ns.Name, "curl", "-s", "http://127.0.0.1:8082/metrics").CombinedOutput()))
		Expect(metrics).To(ContainSubstring(`ovnbgp_agent_routes{network="default",state="imported"} 2`))
		Expect(metrics).To(ContainSubstring(`ovnbgp_agent_over_limit{network="default"} 1`))
		Expect(metrics).To(ContainSubstring(`ovnbgp_agent_event_to_commit_seconds_count`))

		By("stopping as asked, leaving what was imported")
		Expect(run.Process.Signal(os.Interrupt)).To(Succeed())
		Eventually(func() bool { return strings.Contains(string(logs.Contents()), "Stopped as asked") }, patience).Should(BeTrue())
		Expect(n.inOVN("GR_n1")).To(HaveLen(2))
	})

	It("goes on with what it knew where it starts while the API server is away", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp")
		known := "--known-networks-file=" + filepath.Join(GinkgoT().TempDir(), "known.json")
		run := func(kubeconfig string) (end func()) {
			process := command(n, known)
			for i, argument := range process.Args {
				if strings.HasPrefix(argument, "--kubeconfig=") {
					process.Args[i] = "--kubeconfig=" + kubeconfig
				}
			}
			process.Stdout, process.Stderr = GinkgoWriter, GinkgoWriter
			Expect(process.Start()).To(Succeed())
			return func() {
				_ = process.Process.Kill()
				_ = process.Wait()
			}
		}
		end := run(kubeconfig)
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(HaveLen(2))
		end()

		text, err := os.ReadFile(kubeconfig)
		Expect(err).NotTo(HaveOccurred())
		away := filepath.Join(GinkgoT().TempDir(), "away")
		Expect(os.WriteFile(away, bytes.ReplaceAll(text, []byte(plane.Config.Host), []byte("https://127.0.0.1:1")), 0o600)).To(Succeed())
		n.ip("route del 10.1.0.0/24 proto bgp")
		end = run(away)
		Eventually(func() []string { return n.inOVN("GR_n1") }, 2*patience).Should(HaveExactElements("10.2.0.0/24>172.18.0.2"))
		n.ip("route add 10.3.0.0/24 via 172.18.0.2 proto bgp")
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(HaveExactElements("10.2.0.0/24>172.18.0.2", "10.3.0.0/24>172.18.0.2"))
		end()
	})

	It("keeps what is there while no manager tells what to do, as when it is upgraded first", func() {
		n := newNode()
		n.ip("route add 10.1.0.0/24 via 172.18.0.2 proto bgp", "route add 10.2.0.0/24 via 172.18.0.2 proto bgp")
		out, err := command(n, "--once").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(n.inOVN("GR_n1")).To(HaveLen(2))

		var n1 corev1.Node
		Expect(api.Get(ctx(), client.ObjectKey{Name: "n1"}, &n1)).To(Succeed())
		Expect(api.Delete(ctx(), decided(&n1))).To(Succeed())
		put := func() { Expect(client.IgnoreAlreadyExists(api.Create(ctx(), decided(&n1)))).To(Succeed()) }
		DeferCleanup(put)
		out, err = command(n, "--once").CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring("the manager has written none: check that it runs"))
		out, err = command(n, "routes", "--gateway-interface=gw0").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(string(out)).To(MatchRegexp(`default +default +10\.1\.0\.0/24 +172\.18\.0\.2 dev gw0 +172\.18\.0\.2 *\n`))

		n.ip("route add 10.3.0.0/24 via 172.18.0.2 proto bgp")
		logs := started(command(n))
		Eventually(func() string { return string(logs.Contents()) }, patience).Should(SatisfyAll(
			ContainSubstring("Waiting for the manager"), ContainSubstring("Connected to the OVN Northbound database")))
		Consistently(func() []string { return n.inOVN("GR_n1") }, 3*time.Second).Should(HaveLen(2))
		put()
		Eventually(func() []string { return n.inOVN("GR_n1") }, patience).Should(HaveLen(3))
	})

	It("fits into 150 MiB with 100,000 routes, with all that a process has", func() {
		if os.Getenv("OVNBGP_VM") != "" {
			Skip("NOT TESTED: 100,000 routes take too long in an emulated machine; `make test` does it natively")
		}
		n := newNode()
		var commands []string
		for i := range 100000 {
			commands = append(commands, fmt.Sprintf("route add 20.%d.%d.%d/32 via 172.18.0.2 proto bgp", i>>16, i>>8&255, i&255))
		}
		n.ip(commands...)
		for _, start := range []string{"import", "restart"} {
			run := command(n, "--max-routes-per-vrf=0")
			var logs bytes.Buffer
			run.Stdout, run.Stderr = &logs, &logs
			Expect(run.Start()).To(Succeed())
			Eventually(func() int { return n.server.Count(GinkgoTB(), "nexthop", "172.18.0.2") }, time.Minute, 200*time.Millisecond).Should(Equal(100000))
			Eventually(func() int64 {
				var object v1alpha1.NodeRouteState
				_ = api.Get(ctx(), client.ObjectKey{Name: "n1"}, &object)
				return object.Status.Imported
			}, time.Minute, 200*time.Millisecond).Should(BeEquivalentTo(100000))
			peak := peakMemory(run.Process.Pid)
			GinkgoWriter.Printf("%s: peak %.1f MiB\n", start, peak)
			AddReportEntry(fmt.Sprintf("%s: peak memory of the process", start), fmt.Sprintf("%.1f MiB", peak))
			Expect(peak).To(BeNumerically("<", 150))
			Expect(run.Process.Kill()).To(Succeed())
			_ = run.Wait()
		}
	})
})
