package install

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

func TestKustomize(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/default")
	c.story()
	manager := c.run(home, c.deployed())
	c.works()

	t.Log("removing what it generated while it runs, as the README says")
	c.runCleanup("config/cleanup")
	c.Eventually(manager.ended).Should(Receive(HaveOccurred()), "the manager lost its lease")
	again := c.run(home, c.deployed())
	c.gone()
	c.kubectl("apply", "--dry-run=server", "--kustomize=config/agent-cleanup")
	for _, folder := range []string{"cleanup", "webhook", "agent", "operator"} {
		// Nobody here empties a namespace that is deleted.
		c.kubectl("delete", "--wait=false", "--kustomize=config/"+folder)
	}
	c.gone()
	again.stop(c)
	var left appsv1.DeploymentList
	c.Expect(c.admin.List(t.Context(), &left)).To(Succeed())
	c.Expect(left.Items).To(BeEmpty())
}

func TestObserveOnly(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/crd")
	c.kubectl("apply", "--server-side", "--kustomize=config/overlays/observe-only")
	c.story()
	manager := c.run(home, c.deployed())
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(And(
		HaveField("Reason", "ObserveOnly"), HaveField("Message", ContainSubstring("rendered on the one node"))))
	c.Expect(c.generated()).To(BeEmpty())
	c.Expect(c.condition(status.Accepted)).To(BeZero())
	manager.stop(c)
	c.Expect(manager.logs.String()).NotTo(ContainSubstring("forbidden"))
}

// olderChart is the chart with an older CRD.
func olderChart(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "chart")
	must(t, "cp", "-rL", chart, folder)
	path := filepath.Join(folder, "files", "crd", "k8s.ovn.org_routeadvertisements.yaml")
	now := file(t, path)
	before := regexp.MustCompile(`(controller-gen.kubebuilder.io/version:) \S+`).ReplaceAllString(now, "$1 older")
	if before == now {
		t.Fatal("the CRD has no version to be older than")
	}
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestHelm(t *testing.T) {
	c := newCluster(t)
	c.mustHelm("install", release, olderChart(t), "--create-namespace", "--set=agent.flags.cluster-subnets={10.244.0.0/16}")
	crd := func() string {
		return c.kubectl("get", "crd", "routeadvertisements.k8s.ovn.org", "--output=jsonpath={.metadata.annotations}")
	}
	c.Expect(crd()).To(ContainSubstring(`"older"`))
	c.story()
	manager := c.run(home, c.deployed())
	c.works()
	before := c.kubectl("get", "frrconfigurations", "--all-namespaces", "--output=jsonpath={.items[*].metadata.resourceVersion}")

	t.Log("upgrading, CRDs too")
	c.mustHelm("upgrade", release, chart, "--reuse-values", "--set=manager.flags.log-level=debug", "--set=agent.flags.manage-vrfs=true")
	c.Expect(crd()).NotTo(ContainSubstring(`"older"`))
	c.Expect(c.deployed().Containers[0].Args).To(ContainElement("--log-level=debug"))
	manager.stop(c)
	upgraded := c.run(home, c.deployed())
	c.Eventually(upgraded.logs.String).Should(ContainSubstring("DEBUG"))
	c.works()
	c.Expect(c.kubectl("get", "frrconfigurations", "--all-namespaces", "--output=jsonpath={.items[*].metadata.resourceVersion}")).To(Equal(before), "nothing was withdrawn or written again")

	t.Log("uninstalling, with the manager at work")
	ctx, cancel := context.WithCancel(t.Context())
	wait := c.runJobs(ctx)
	out, err := c.helm("uninstall", release, "--timeout=3m")
	cancel()
	wait()
	c.Expect(err).NotTo(HaveOccurred())
	t.Log(out)
	c.gone()
	c.Eventually(upgraded.ended).Should(Receive(HaveOccurred()), "the manager lost its lease")
	c.Expect(c.kubectl("get", "crd", "routeadvertisements.k8s.ovn.org", "--output=name")).NotTo(BeEmpty(), "CRDs are kept")
}

func TestHelmLeavesRoutesAdvertisedWhereThatIsWanted(t *testing.T) {
	c := newCluster(t)
	c.mustHelm("install", release, chart, "--create-namespace", "--set=uninstall.withdraw=false", "--set=agent.enabled=false")
	c.story()
	manager := c.run(home, c.deployed())
	c.works()
	c.mustHelm("uninstall", release)
	manager.stop(c)
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1"))
	c.Expect(c.condition(status.Accepted)).To(HaveField("Status", metav1.ConditionTrue))
}
