package manager_test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// process is a manager as it runs in a cluster.
type process struct {
	*gexec.Session
	probes string
}

func launch(binary, kubeconfig string) *process {
	GinkgoHelper()
	probes := controlplane.FreeAddress(GinkgoT())
	session, err := gexec.Start(exec.Command(binary,
		"--kubeconfig="+kubeconfig, "--leader-elect", "--leader-election-namespace="+operatorHome,
		"--leader-election-lease-duration=4s", "--leader-election-renew-deadline=3s", "--leader-election-retry-period=500ms",
		"--metrics-bind-address=0", "--health-probe-bind-address="+probes, "--log-format=text", "--log-level=debug",
	), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { session.Kill().Wait() })
	return &process{Session: session, probes: probes}
}

func (p *process) ready() error {
	for _, path := range []string{"/healthz", "/readyz"} {
		response, err := http.Get("http://" + p.probes + path)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", path, response.Status)
		}
	}
	return nil
}

// leader is who holds the lease.
func leader(ctx context.Context) string {
	GinkgoHelper()
	var lease coordinationv1.Lease
	err := admin.Get(ctx, client.ObjectKey{Namespace: operatorHome, Name: "ovn-bgp-operator"}, &lease)
	if client.IgnoreNotFound(err) == nil && err != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return *lease.Spec.HolderIdentity
}

// withdrawals watches generated objects and reports every deletion and every
// prefix that an update takes away.
func withdrawals(ctx context.Context) (stop func() []string) {
	GinkgoHelper()
	watching, err := client.NewWithWatch(cluster.Config, client.Options{Scheme: adminScheme()})
	Expect(err).NotTo(HaveOccurred())
	events, err := watching.Watch(ctx, &frrk8sv1beta1.FRRConfigurationList{}, client.HasLabels{model.LabelGenerated})
	Expect(err).NotTo(HaveOccurred())
	var seen []string
	stopping, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		known := map[string][]string{}
		for event := range events.ResultChan() {
			o, ok := event.Object.(*frrk8sv1beta1.FRRConfiguration)
			if !ok {
				select {
				case <-stopping:
				default:
					seen = append(seen, fmt.Sprintf("the watch broke: %v", event.Object))
				}
				return
			}
			var now []string
			for _, r := range o.Spec.BGP.Routers {
				now = append(now, r.Prefixes...)
			}
			for _, prefix := range known[o.Name] {
				if event.Type == watch.Deleted || !slices.Contains(now, prefix) {
					seen = append(seen, fmt.Sprintf("%s loses %s", o.Name, prefix))
				}
			}
			known[o.Name] = now
		}
	}()
	return func() []string {
		close(stopping)
		events.Stop()
		<-ended
		return seen
	}
}

var _ = Describe("Of two managers", func() {
	It("one leads, and the other takes over without withdrawing a prefix", func(ctx context.Context) {
		binary, err := gexec.Build("github.com/ovn-bgp-operator/ovn-bgp-operator/cmd/manager")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(gexec.CleanupBuildArtifacts)
		kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(operator.WriteKubeconfig(kubeconfig)).To(Succeed())
		reset(ctx)
		create(ctx, objects.Node(1), objects.Node(2), objects.Node(3), objects.Template("fabric", 64512), objects.Advertisement("pods"))

		first := launch(binary, kubeconfig)
		Eventually(func() map[string][]string { return prefixes(ctx) }).Should(HaveLen(3))
		second := launch(binary, kubeconfig)
		Eventually(first.ready).Should(Succeed())
		Eventually(second.ready).Should(Succeed(), "a standby is ready, too")
		holder := leader(ctx)
		Expect(holder).NotTo(BeEmpty())
		versions := versionsOf(ctx)
		lost := withdrawals(ctx)

		By("stopping the leader")
		first.Signal(syscall.SIGTERM)
		Eventually(first.Session).Should(gexec.Exit(0))
		Eventually(func() string { return leader(ctx) }).ShouldNot(Or(BeEmpty(), Equal(holder)))
		change(ctx, objects.Node(2), func(n *corev1.Node) {
			n.Annotations[ovnk.AnnotationNodeSubnets] = `{"default":["10.244.2.0/24","fd00:2::/64"]}`
		})
		Eventually(func() map[string][]string { return prefixes(ctx) }).Should(
			HaveKeyWithValue("node-2", ConsistOf("10.244.2.0/24")), "an IPv4 neighbor gets what is IPv4")

		By("killing the new leader")
		third := launch(binary, kubeconfig)
		Eventually(third.ready).Should(Succeed())
		holder = leader(ctx)
		second.Kill()
		Eventually(second.Session).Should(gexec.Exit())
		create(ctx, objects.Node(4))
		Eventually(func() map[string][]string { return prefixes(ctx) }).Should(HaveKey("node-4"))
		Expect(leader(ctx)).NotTo(Equal(holder))
		Eventually(third.ready).Should(Succeed())

		Expect(lost()).To(BeEmpty())
		after := versionsOf(ctx)
		Expect(after["node-1"]).To(Equal(versions["node-1"]), "what did not change was not written")
		Expect(after["node-3"]).To(Equal(versions["node-3"]))
	})
})

func versionsOf(ctx context.Context) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for name, o := range generated(ctx) {
		versions[name] = o.ResourceVersion
	}
	return versions
}
