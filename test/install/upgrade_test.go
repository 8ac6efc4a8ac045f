package install

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

var record = flag.String("record", "", "manager of the previous minor version: record in testdata what it writes, as testdata/v0.1/README.md says")

// previous is the minor version that is upgraded from.
const previous = "test/install/testdata/v0.1"

// samples is a cluster with every story of config/samples.
func (c *cluster) samples() {
	c.t.Helper()
	c.kubectl("create", "namespace", "ovn-kubernetes")
	for _, folder := range []string{"cluster", "default-import-export", "cudn-leak-and-export", "egress-ip", "vrf-lite", "vrf-lite-auto"} {
		c.kubectl("apply", "--filename=config/samples/"+folder)
	}
	// Of an EgressIP, OVN-Kubernetes writes the status, with no subresource.
	c.kubectl("apply", "--filename="+previous+"/nad.yaml", "--as="+upstreamUser, "--as-group=system:masters")
}

// rendered waits until every RouteAdvertisements object is rendered on so many
// nodes, which is the last thing that a manager writes.
func (c *cluster) rendered(nodes string) {
	c.t.Helper()
	c.Eventually(func(g Gomega) {
		var all ovnv1.RouteAdvertisementsList
		g.Expect(c.admin.List(c.t.Context(), &all)).To(Succeed())
		g.Expect(all.Items).To(HaveLen(5))
		for i := range all.Items {
			condition := meta.FindStatusCondition(all.Items[i].Status.Conditions, status.Rendered)
			g.Expect(condition).NotTo(BeNil(), all.Items[i].Name)
			g.Expect(condition.Status).To(Equal(metav1.ConditionTrue), "%s: %s", all.Items[i].Name, condition.Message)
			if all.Items[i].Name == "default" {
				g.Expect(condition.Message).To(ContainSubstring(nodes))
			}
		}
	}).Should(Succeed())
}

// TestUpgrade installs the previous minor version, with all that its manager
// had written, applies the current manifests over it and runs the current
// manager. A node's FRR may never be told to advertise less meanwhile, and
// nothing is deleted and made anew.
func TestUpgrade(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--filename="+previous+"/manifests.yaml")
	c.samples()
	if *record != "" {
		c.record(*record)
	} else {
		c.kubectl("apply", "--server-side", "--field-manager="+model.FieldManager, "--filename="+previous+"/generated.yaml")
		c.kubectl("apply", "--server-side", "--field-manager="+model.FieldManager, "--subresource=status", "--filename="+previous+"/statuses.yaml")
	}
	before := c.generated()
	c.Expect(before).To(ConsistOf("ovnbgp-worker-1", "ovnbgp-worker-2", "ovnbgp-worker-3.example.internal"))
	journal := c.follow()

	t.Log("applying the current manifests")
	c.kubectl("apply", "--server-side", "--kustomize=config/default")
	manager := c.run(home, c.deployed())

	t.Log("with another node, to see that the current manager has been at every node")
	c.Eventually(func() error {
		return c.admin.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-4", Labels: map[string]string{model.LabelHostname: "worker-4"},
			Annotations: map[string]string{ovnk.AnnotationNodeSubnets: `{"default":"10.244.4.0/24","cluster_udn_extranet":["22.101.4.0/24"],"cluster_udn_partner":["22.102.4.0/24"]}`}}})
	}).Should(Succeed())
	c.rendered("all 4 nodes")
	c.Expect(c.generated()).To(ConsistOf(append(before, "ovnbgp-worker-4")))
	journal.expectNothingLost()
	c.Expect(journal.happened(watch.Deleted)).To(BeEmpty())
	c.Expect(journal.happened(watch.Added)).To(ConsistOf("ovnbgp-worker-4"), "nothing is made anew")
	t.Logf("rewritten: %v", journal.happened(watch.Modified))
	manager.stop(c)
}

// record runs a manager of the previous version, until it has written all, and
// keeps that as test data.
func (c *cluster) record(manager string) {
	c.t.Helper()
	old := c.start(manager, home, c.deployed())
	c.rendered("all 3 nodes")
	old.stop(c)
	var generated, statuses strings.Builder
	add := func(to *strings.Builder, o *unstructured.Unstructured) {
		meta := map[string]any{"name": o.GetName()}
		if namespace := o.GetNamespace(); namespace != "" {
			meta["namespace"] = namespace
		}
		if to == &generated {
			meta["labels"], meta["annotations"] = o.GetLabels(), o.GetAnnotations()
		}
		o.Object["metadata"] = meta
		delete(o.Object, map[bool]string{true: "status", false: "spec"}[to == &generated])
		text, err := yaml.Marshal(o.Object)
		c.Expect(err).NotTo(HaveOccurred())
		_, _ = fmt.Fprintf(to, "---\n%s", text)
	}
	each := func(do func(*unstructured.Unstructured), arguments ...string) {
		var list unstructured.UnstructuredList
		c.Expect(json.Unmarshal([]byte(c.kubectl(append(arguments, "--output=json")...)), &list)).To(Succeed())
		for i := range list.Items {
			do(&list.Items[i])
		}
	}
	each(func(o *unstructured.Unstructured) { add(&generated, o) }, "get", "frrconfigurations", "--all-namespaces", "--selector="+model.LabelGenerated)
	each(func(o *unstructured.Unstructured) { add(&statuses, o) }, "get", "routeadvertisements")
	for name, text := range map[string]string{"generated.yaml": generated.String(), "statuses.yaml": statuses.String()} {
		c.Expect(os.WriteFile(filepath.Join(root(c.t), previous, name), []byte(text), 0o600)).To(Succeed())
	}
	c.t.Logf("the default network is annotated %s", c.annotated())
}
