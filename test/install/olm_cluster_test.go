package install

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// webhookCertificates is where OLM mounts the certificate of a webhook.
const webhookCertificates = "/tmp/k8s-webhook-server/serving-certs"

// create creates objects as a cluster administrator, every field of which has
// to be one that the API server knows.
func (c *cluster) create(objects ...client.Object) {
	c.t.Helper()
	strict := client.WithFieldValidation(c.admin, metav1.FieldValidationStrict)
	for _, o := range objects {
		c.Expect(strict.Create(c.t.Context(), o)).To(Succeed(), "%T %s", o, o.GetName())
	}
}

// olm does with a bundle what the Operator Lifecycle Manager would: it applies
// the bundle's objects in the operator's namespace, and makes service account,
// roles and Deployment of the ClusterServiceVersion.
//
// The rights in the operator's namespace stay there, which is less than OLM
// gives where an OperatorGroup is for all namespaces.
func (c *cluster) olm(edition string) *clusterServiceVersion {
	c.t.Helper()
	csv, others := bundle(c.t, edition)
	c.serves(csv.Spec.NativeAPIs)
	c.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}})
	for _, o := range others {
		namespaced, err := c.admin.IsObjectNamespaced(o)
		c.Expect(err).NotTo(HaveOccurred())
		if namespaced {
			o.SetNamespace(home)
		}
		c.create(o)
	}
	install := &csv.Spec.Install.Spec
	role := metav1.ObjectMeta{Namespace: home, Name: csv.Name}
	for i, p := range install.ClusterPermissions {
		name := metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", csv.Name, i)}
		c.create(
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: p.ServiceAccountName}},
			&rbacv1.ClusterRole{ObjectMeta: name, Rules: p.Rules},
			&rbacv1.ClusterRoleBinding{ObjectMeta: name, Subjects: p.subjects(), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name.Name}})
	}
	for _, p := range install.Permissions {
		c.create(
			&rbacv1.Role{ObjectMeta: role, Rules: p.Rules},
			&rbacv1.RoleBinding{ObjectMeta: role, Subjects: p.subjects(), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}})
	}
	for _, d := range install.Deployments {
		c.create(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: d.Name, Labels: d.Label}, Spec: d.Spec})
	}
	return &csv
}

func (p *permissions) subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: home, Name: p.ServiceAccountName}}
}

// serves fails where the cluster lacks a kind that OLM would wait for.
func (c *cluster) serves(kinds []metav1.GroupVersionKind) {
	c.t.Helper()
	found, err := discovery.NewDiscoveryClientForConfig(c.Config)
	c.Expect(err).NotTo(HaveOccurred())
	c.Expect(kinds).NotTo(BeEmpty())
	for _, kind := range kinds {
		resources, err := found.ServerResourcesForGroupVersion(kind.Group + "/" + kind.Version)
		c.Expect(err).NotTo(HaveOccurred())
		c.Expect(resources.APIResources).To(ContainElement(HaveField("Kind", kind.Kind)))
	}
}

// webhooks makes the configurations that OLM makes of a bundle's webhooks. The
// folder that it returns is what OLM mounts: here there is no Service, so that
// the certificate is for where the manager listens.
func (c *cluster) webhooks(csv *clusterServiceVersion) (folder string) {
	c.t.Helper()
	certificate, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	c.Expect(err).NotTo(HaveOccurred())
	folder = c.t.TempDir()
	c.Expect(os.WriteFile(filepath.Join(folder, "tls.crt"), certificate, 0o600)).To(Succeed())
	c.Expect(os.WriteFile(filepath.Join(folder, "tls.key"), key, 0o600)).To(Succeed())
	c.Expect(csv.Spec.WebhookDefinitions).To(HaveLen(5))
	for _, w := range csv.Spec.WebhookDefinitions {
		c.Expect(w.Type).To(Equal("ValidatingAdmissionWebhook"))
		c.Expect(w.DeploymentName).To(Equal(csv.Spec.Install.Spec.Deployments[0].Name))
		hook := w.ValidatingWebhook
		hook.Name = w.GenerateName
		hook.ClientConfig = admissionregistrationv1.WebhookClientConfig{
			URL:      new("https://" + net.JoinHostPort("127.0.0.1", fmt.Sprint(w.ContainerPort)) + w.WebhookPath),
			CABundle: certificate,
		}
		c.create(&admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{GenerateName: w.GenerateName + "-"},
			Webhooks:   []admissionregistrationv1.ValidatingWebhook{hook},
		})
	}
	return folder
}

// manage runs the manager that OLM installed, and waits until it advertises
// and its webhook refuses what can never work.
func (c *cluster) manage(csv *clusterServiceVersion) *process {
	c.t.Helper()
	folder := c.webhooks(csv)
	pod := c.deployed().DeepCopy()
	mounted := 0
	for i, argument := range pod.Containers[0].Args {
		if strings.Contains(argument, webhookCertificates) {
			pod.Containers[0].Args[i] = strings.ReplaceAll(argument, webhookCertificates, folder)
			mounted++
		}
	}
	c.Expect(mounted).To(Equal(1), "the manager reads the certificate from where OLM puts it")
	c.story()
	manager := c.run(home, pod)
	c.works()
	never := func() error {
		return c.admin.Create(c.t.Context(), &ovnv1.RouteAdvertisements{
			ObjectMeta: metav1.ObjectMeta{Name: "never"},
			Spec: ovnv1.RouteAdvertisementsSpec{
				TargetVRF:                model.TargetVRFAuto,
				NetworkSelectors:         ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.DefaultNetwork}},
				FRRConfigurationSelector: metav1.LabelSelector{MatchLabels: map[string]string{"use": "fabric"}},
				Advertisements:           []ovnv1.AdvertisementType{ovnv1.AdvertiseEgressIP},
			},
		}, client.DryRunAll)
	}
	// The API server takes a new configuration in its own time.
	c.Eventually(never).Should(MatchError(ContainSubstring("denied the request")))
	c.Expect(manager.logs.String()).NotTo(ContainSubstring("forbidden"))
	return manager
}

func TestOLMOnOVNKubernetes(t *testing.T) {
	c := newCluster(t)
	foreign := []string{"get", "crd", "routeadvertisements.k8s.ovn.org", "clusteruserdefinednetworks.k8s.ovn.org", "egressips.k8s.ovn.org",
		"--output=jsonpath={.items[*].metadata.generation}"}
	for _, name := range []string{"routeadvertisements", "clusteruserdefinednetworks", "egressips"} {
		c.kubectl("apply", "--server-side", "--filename=config/crd/bases/k8s.ovn.org_"+name+".yaml")
	}
	before := c.kubectl(foreign...)
	csv := c.olm("ovn-kubernetes")
	c.Expect(c.kubectl(foreign...)).To(Equal(before), "OVN-Kubernetes' CRDs are its own")
	manager := c.manage(csv)

	t.Log("adding the agent, as the README says")
	c.kubectl("apply", "--server-side", "--kustomize=config/agent")

	t.Log("withdrawing everything, as the README says")
	c.runCleanup("config/cleanup")
	c.Eventually(manager.ended).Should(Receive(HaveOccurred()), "the manager lost its lease")
	c.gone()
}

func TestOLMStandalone(t *testing.T) {
	c := newCluster(t)
	csv := c.olm("standalone")
	manager := c.manage(csv)
	var examples []*unstructured.Unstructured
	c.Expect(json.Unmarshal([]byte(csv.Annotations["alm-examples"]), &examples)).To(Succeed())
	c.Expect(examples).To(HaveLen(8))
	for _, example := range examples {
		c.create(example)
	}
	manager.stop(c)
}
