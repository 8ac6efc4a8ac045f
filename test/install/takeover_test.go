package install

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// ovnKubernetes writes what OVN-Kubernetes' own controller of RouteAdvertisements
// does for an object, in its words: an object per node and template with its
// label, annotation and prefix, the annotation of the network, and the status,
// which it applies without force.
type ovnKubernetes struct {
	c  *cluster
	ra string
	// network is the definition of the one network that the object selects, and
	// annotation what stands there in the end.
	network    client.ObjectKey
	annotation string
	// vrf is the network's, "" for the default network.
	vrf string
	// evpn is set for a network that reaches neighbors by EVPN.
	evpn bool
}

// forPods does it for the object of the default network.
func (c *cluster) forPods() ovnKubernetes {
	return ovnKubernetes{c: c, ra: "pods", network: client.ObjectKey{Namespace: "ovn-kubernetes", Name: "default"}, annotation: `["another","pods"]`}
}

const ovnKubernetesMessage = "ovn-kubernetes cluster-manager validated the resource and requested the necessary configuration changes"

func (o ovnKubernetes) generate(node, subnet string) {
	o.c.t.Helper()
	object := &frrk8sv1beta1.FRRConfiguration{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "frr-k8s-system", GenerateName: ovnk.GeneratedPrefix,
			Labels:      map[string]string{ovnk.LabelRouteAdvertisements: o.ra},
			Annotations: map[string]string{ovnk.AnnotationRouteAdvertisements: o.ra + "/fabric/" + node},
		},
		Spec: frrk8sv1beta1.FRRConfigurationSpec{
			NodeSelector: metav1.LabelSelector{MatchLabels: map[string]string{model.LabelHostname: node}},
			BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: 64512, Prefixes: []string{subnet},
				Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513, DisableMP: true, ToAdvertise: frrk8sv1beta1.Advertise{
					Allowed: frrk8sv1beta1.AllowedOutPrefixes{Mode: frrk8sv1beta1.AllowRestricted, Prefixes: []string{subnet}}}}},
			}}},
		},
	}
	switch routers := &object.Spec.BGP.Routers; {
	case o.evpn:
		endpoint := []string{endpointOf(node) + "/32"}
		(*routers)[0].Prefixes, (*routers)[0].Neighbors[0].ToAdvertise.Allowed.Prefixes = endpoint, endpoint
		*routers = append(*routers, frrk8sv1beta1.Router{ASN: 64512, VRF: o.vrf, Prefixes: []string{subnet}})
		object.Spec.Raw = rawEVPN(o.vrf)
	case o.vrf != "":
		(*routers)[0].Imports = []frrk8sv1beta1.Import{{VRF: o.vrf}}
		*routers = append(*routers, frrk8sv1beta1.Router{ASN: 64512, VRF: o.vrf, Imports: []frrk8sv1beta1.Import{{VRF: model.DefaultVRF}}})
	}
	o.c.Expect(o.c.admin.Create(o.c.t.Context(), object, client.FieldOwner(ovnk.FieldManager))).To(Succeed())
}

// endpointOf is a node's address of the VTEP, by its name.
func endpointOf(node string) string { return "100.64.0." + strings.TrimPrefix(node, "node-") }

// rawEVPN is what frr-k8s' typed API could not say when OVN-Kubernetes began with EVPN.
func rawEVPN(vrf string) frrk8sv1beta1.RawConfig {
	return frrk8sv1beta1.RawConfig{Priority: 10, Config: fmt.Sprintf(`router bgp 64512
 address-family l2vpn evpn
  neighbor 192.0.2.1 activate
  neighbor 192.0.2.1 allowas-in origin
  advertise-all-vni
 exit-address-family
exit
!
vrf %[1]s
 vni 101
exit-vrf
!
router bgp 64512 vrf %[1]s
 address-family l2vpn evpn
  advertise ipv4 unicast
 exit-address-family
exit
!
`, vrf)}
}

// applyStatus is what it does when it changed something, or the object did.
func (o ovnKubernetes) applyStatus() error {
	var ra ovnv1.RouteAdvertisements
	o.c.Expect(o.c.admin.Get(o.c.t.Context(), client.ObjectKey{Name: o.ra}, &ra)).To(Succeed())
	object := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{
		"status": "Accepted",
		"conditions": []any{map[string]any{
			"type": status.Accepted, "status": "True", "reason": "Accepted", "message": ovnKubernetesMessage,
			"observedGeneration": ra.Generation, "lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
		}},
	}}}
	object.SetGroupVersionKind(ovnv1.GroupVersion.WithKind("RouteAdvertisements"))
	object.SetName(o.ra)
	return o.c.admin.Status().Apply(o.c.t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(ovnk.FieldManager))
}

// annotate adds the object's name to the network's annotation, or leaves it alone
// where it is there.
func (o ovnKubernetes) annotate() {
	o.c.t.Helper()
	nad := &nadv1.NetworkAttachmentDefinition{}
	o.c.Expect(o.c.admin.Get(o.c.t.Context(), o.network, nad)).To(Succeed())
	if nad.Annotations[ovnk.AnnotationRouteAdvertisements] == o.annotation {
		return
	}
	nad.Annotations[ovnk.AnnotationRouteAdvertisements] = o.annotation
	o.c.Expect(o.c.upstream.Update(o.c.t.Context(), nad, client.FieldOwner(ovnk.FieldManager))).To(Succeed())
}

// flags adds flags to the Deployment, with the very command of MIGRATION.md.
func (c *cluster) flags(flags ...string) *corev1.PodSpec {
	c.t.Helper()
	for _, f := range flags {
		patch, err := json.Marshal([]map[string]string{{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": f}})
		c.Expect(err).NotTo(HaveOccurred())
		c.kubectl("--namespace="+home, "patch", "deployment", "ovn-bgp-operator", "--type=json", "--patch="+string(patch))
	}
	return c.deployed()
}

// twoNodes is story with a second node, node-2.
func (c *cluster) twoNodes() {
	c.t.Helper()
	c.story()
	c.Expect(c.admin.Create(c.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-2", Labels: map[string]string{model.LabelHostname: "node-2"},
		Annotations: map[string]string{ovnk.AnnotationNodeSubnets: `{"default":["10.244.2.0/24"]}`, ovnk.AnnotationPrimaryAddress: `{"ipv4":"172.18.0.3/16"}`}}})).To(Succeed())
}

// TestTakeOverAndHandBack goes the way that config/MIGRATION.md describes, there
// and back, and finds no moment in which a node advertises less, Accepted isn't
// True or the network isn't annotated.
func TestTakeOverAndHandBack(t *testing.T) {
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--kustomize=config/crd")
	c.kubectl("apply", "--server-side", "--kustomize=config/overlays/ovn-kubernetes")
	c.twoNodes()
	ovn := c.forPods()
	ovn.generate("node-1", "10.244.1.0/24")
	ovn.generate("node-2", "10.244.2.0/24")
	ovn.annotate()
	c.Expect(ovn.applyStatus()).To(Succeed())
	there := c.follow()

	t.Log("the operator stands aside")
	aside := c.run(home, c.deployed())
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(HaveField("Reason", "StandingAside"))
	c.Expect(c.generated()).To(BeEmpty())
	aside.stop(c)

	t.Log("what it would do")
	out := must(t, binary(t, "kubectl-ra"), "plan", "--kubeconfig="+c.kubeconfig, "--take-over")
	c.Expect(out).To(MatchRegexp(`(?s)NODE node-1 .*default +64512 +192\.0\.2\.1 +64513 +10\.244\.1\.0/24.*NODE node-2 .*10\.244\.2\.0/24`))
	out, err := command(t, binary(t, "kubectl-ra"), "plan", "--kubeconfig="+c.kubeconfig)
	c.Expect(err).To(HaveOccurred(), "without the flag it says that something is left out")
	c.Expect(out).NotTo(ContainSubstring("NODE node-1"))

	t.Log("taking over: OVN-Kubernetes' controller is off, its objects are still there")
	manager := c.run(home, c.flags("--take-over"))
	c.kubectl("wait", "--for=condition=Rendered", "--timeout=90s", "routeadvertisements", "--all")
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1", "ovnbgp-node-2"))
	there.expectNothingLost()
	c.kubectl("delete", "frrconfigurations", "--all-namespaces", "--selector="+ovnk.LabelRouteAdvertisements)
	c.Eventually(func() []string { return there.happened(watch.Deleted) }).Should(HaveLen(2))
	there.expectNothingLost()

	t.Log("handing back: the manager is stopped, OVN-Kubernetes' controller is on")
	back := c.follow()
	c.kubectl("--namespace="+home, "scale", "deployment", "ovn-bgp-operator", "--replicas=0")
	manager.stop(c)
	ovn.generate("node-1", "10.244.1.0/24")
	ovn.annotate()
	c.Expect(ovn.applyStatus()).To(Satisfy(apierrors.IsConflict), "it can't write what this operator owns")
	c.kubectl("apply", "--kustomize=config/hand-back")
	ctx, cancel := context.WithCancel(t.Context())
	wait := c.runJobs(ctx)
	c.Eventually(c.generated).Should(ConsistOf("ovnbgp-node-2"))
	c.Consistently(c.generated, "3s").Should(ConsistOf("ovnbgp-node-2"), "node-2 is not taken over yet")
	c.Expect(c.condition(status.Rendered)).To(HaveField("Status", metav1.ConditionTrue))
	ovn.generate("node-2", "10.244.2.0/24")
	c.kubectl("--namespace="+home, "wait", "--for=condition=complete", "--timeout=3m", "job/ovn-bgp-operator-cleanup")
	cancel()
	wait()
	c.Expect(c.generated()).To(BeEmpty())
	c.Expect(c.condition(status.Rendered)).To(BeZero())
	c.Expect(c.condition(status.Accepted)).To(HaveField("Status", metav1.ConditionTrue))
	c.Expect(c.annotated()).To(Equal(`["another","pods"]`))
	c.Expect(ovn.applyStatus()).To(Succeed(), "it is OVN-Kubernetes' own from now on")
	c.Expect(c.condition(status.Accepted)).To(HaveField("Message", ovnKubernetesMessage))
	var ra ovnv1.RouteAdvertisements
	c.Expect(c.admin.Get(t.Context(), client.ObjectKey{Name: "pods"}, &ra)).To(Succeed())
	for _, entry := range ra.ManagedFields {
		c.Expect(entry.Manager).NotTo(HavePrefix(model.FieldManager), fmt.Sprint(entry))
	}
	back.expectNothingLost()

	t.Log("a manager that starts again stands aside")
	c.kubectl("--namespace="+home, "delete", "lease", "ovn-bgp-operator")
	deployed := c.deployed()
	deployed.Containers[0].Args = deployed.Containers[0].Args[:len(deployed.Containers[0].Args)-1]
	again := c.run(home, deployed)
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(HaveField("Reason", "StandingAside"))
	back.expectNothingLost()
	again.stop(c)
}
