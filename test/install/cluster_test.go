package install

import (
	"path/filepath"
	"testing"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// patience is long, because the machine may be busy with other tests.
const patience = 90 * time.Second

// upstreamUser is the account of OVN-Kubernetes' cluster manager.
const upstreamUser = "system:serviceaccount:ovn-kubernetes:ovnkube-cluster-manager"

// cluster is an API server that frr-k8s, and nothing of ours, is installed on.
type cluster struct {
	*controlplane.ControlPlane
	*WithT
	t     *testing.T
	admin client.Client
	// upstream is OVN-Kubernetes' account, which alone may say what its networks
	// are.
	upstream   client.Client
	kubeconfig string
}

// newCluster starts a control plane without the operator's CRDs, which the
// installation has to bring, unless OVN-Kubernetes would have.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{ControlPlane: controlplane.StartForTest(t, controlplane.Options{WithoutOwnCRDs: true, NADs: true}), WithT: NewWithT(t), t: t}
	c.SetDefaultEventuallyTimeout(patience)
	c.SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	c.kubeconfig = filepath.Join(t.TempDir(), "admin")
	c.Expect(c.WriteKubeconfig(c.kubeconfig)).To(Succeed())
	scheme := controller.Scheme()
	c.Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	var err error
	c.admin, err = client.New(c.Config, client.Options{Scheme: scheme})
	c.Expect(err).NotTo(HaveOccurred())
	as := rest.CopyConfig(c.Config)
	as.Impersonate = rest.ImpersonationConfig{UserName: upstreamUser, Groups: []string{"system:masters"}}
	c.upstream, err = client.New(as, client.Options{Scheme: scheme})
	c.Expect(err).NotTo(HaveOccurred())
	return c
}

func (c *cluster) kubectl(arguments ...string) string {
	c.t.Helper()
	return must(c.t, c.Binaries.Kubectl, append([]string{"--kubeconfig=" + c.kubeconfig}, arguments...)...)
}

func (c *cluster) helm(arguments ...string) (string, error) {
	c.t.Helper()
	return command(c.t, helm(c.t), append(arguments, "--kubeconfig="+c.kubeconfig, "--namespace="+home)...)
}

func (c *cluster) mustHelm(arguments ...string) string {
	c.t.Helper()
	out, err := c.helm(arguments...)
	c.Expect(err).NotTo(HaveOccurred())
	return out
}

// story is a cluster with a fabric to advertise to.
func (c *cluster) story() {
	c.t.Helper()
	labels := map[string]string{"use": "fabric"}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "frr-k8s-system"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ovn-kubernetes"}},
		&nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: "ovn-kubernetes", Name: "default",
			Annotations: map[string]string{ovnk.AnnotationRouteAdvertisements: `["another"]`}}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{model.LabelHostname: "node-1"}, Annotations: map[string]string{
			ovnk.AnnotationNodeSubnets: `{"default":["10.244.1.0/24"]}`, ovnk.AnnotationPrimaryAddress: `{"ipv4":"172.18.0.2/16"}`}}},
		&frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "frr-k8s-system", Name: "fabric", Labels: labels},
			Spec: frrk8sv1beta1.FRRConfigurationSpec{BGP: frrk8sv1beta1.BGPConfig{Routers: []frrk8sv1beta1.Router{{
				ASN: 64512, Neighbors: []frrk8sv1beta1.Neighbor{{Address: "192.0.2.1", ASN: 64513}}}}}}},
		&ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: ovnv1.RouteAdvertisementsSpec{
			NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
			FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: labels}, Advertisements: []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork}}},
	} {
		c.Eventually(func() error { return client.IgnoreAlreadyExists(c.upstream.Create(c.t.Context(), o)) }).Should(Succeed(), "%T", o)
	}
}

func (c *cluster) condition(kind string) metav1.Condition { return c.conditionOf("pods", kind) }

func (c *cluster) conditionOf(name, kind string) metav1.Condition {
	var ra ovnv1.RouteAdvertisements
	if err := c.admin.Get(c.t.Context(), client.ObjectKey{Name: name}, &ra); err != nil {
		return metav1.Condition{Message: err.Error()}
	}
	if found := meta.FindStatusCondition(ra.Status.Conditions, kind); found != nil {
		return *found
	}
	return metav1.Condition{}
}

func (c *cluster) generated() []string {
	c.t.Helper()
	var list frrk8sv1beta1.FRRConfigurationList
	c.Expect(c.admin.List(c.t.Context(), &list, client.HasLabels{model.LabelGenerated})).To(Succeed())
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// deployed is the manager's pod as the cluster has it.
func (c *cluster) deployed() *corev1.PodSpec {
	c.t.Helper()
	var deployment appsv1.Deployment
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: home, Name: "ovn-bgp-operator"}, &deployment)).To(Succeed())
	return &deployment.Spec.Template.Spec
}

// works waits until the installed manager advertises.
func (c *cluster) works() {
	c.t.Helper()
	c.Eventually(func() metav1.Condition { return c.condition(status.Accepted) }).Should(HaveField("Status", metav1.ConditionTrue))
	c.Eventually(func() metav1.Condition { return c.condition(status.Rendered) }).Should(HaveField("Status", metav1.ConditionTrue))
	c.Expect(c.generated()).To(ConsistOf("ovnbgp-node-1"))
	c.Eventually(c.annotated).Should(Equal(`["another","pods"]`))
}

// annotated is what stands at the default network.
func (c *cluster) annotated() string {
	var nad nadv1.NetworkAttachmentDefinition
	_ = c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: "ovn-kubernetes", Name: "default"}, &nad)
	return nad.Annotations[ovnk.AnnotationRouteAdvertisements]
}

// gone waits until nothing of the operator's is left but CRDs and users' objects.
func (c *cluster) gone() {
	c.t.Helper()
	c.Expect(c.generated()).To(BeEmpty())
	var ra ovnv1.RouteAdvertisements
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Name: "pods"}, &ra)).To(Succeed(), "users' objects stay")
	c.Expect(ra.Status.Status).To(BeEmpty())
	c.Expect(ra.Status.Conditions).To(BeEmpty())
	c.Expect(c.annotated()).To(Equal(`["another"]`), "what others wrote stays")
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: "frr-k8s-system", Name: "fabric"}, &frrk8sv1beta1.FRRConfiguration{})).To(Succeed())
}
