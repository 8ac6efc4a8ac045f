package webhook_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// ask posts a review to an address as anybody can, who claims to be an
// administrator.
func ask(address string, object client.Object, kind string, certificates ...tls.Certificate) (*admissionv1.AdmissionResponse, error) {
	GinkgoHelper()
	content, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	body, err := json.Marshal(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "mine", Operation: admissionv1.Create, Name: object.GetName(), Object: runtime.RawExtension{Raw: content},
			Kind:     metav1.GroupVersionKind{Group: "k8s.ovn.org", Version: "v1", Kind: kind},
			UserInfo: authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters"}},
		},
	})
	Expect(err).NotTo(HaveOccurred())
	caller := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // #nosec G402 -- a stranger doesn't care whom it asks.
		Certificates:       certificates,
	}}}
	defer caller.CloseIdleConnections()
	answer, err := caller.Post(address, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(text, &review); err != nil || review.Response == nil {
		return nil, fmt.Errorf("%s: %s", answer.Status, text)
	}
	return review.Response, nil
}

var _ = Describe("A stranger who reaches the port", Ordered, func() {
	var green *ovnv1.ClusterUserDefinedNetwork

	// tenants have a network that is advertised; green overlaps it.
	tenants := func(ctx context.Context) {
		GinkgoHelper()
		green = network("green", "10.10.128.0/17")
		apply(ctx, objects.Node(1))
		apply(ctx, objects.Template("fabric", 64512))
		apply(ctx, network("blue", "10.10.0.0/16"))
		apply(ctx, objects.Advertisement("networks", objects.OfNetworks(map[string]string{"advertise": "yes"})))
		Eventually(func() []string {
			warned.take()
			Expect(admin.Create(ctx, green.DeepCopy(), client.DryRunAll)).To(Succeed())
			return warned.take()
		}).Should(ContainElement(ContainSubstring("10.10.0.0/16")), "the API server's caller hears of it")
	}

	It("learns nothing of others by the path that everybody knows, and can't guess the other", func(ctx context.Context) {
		install(ctx, replicas[0].port)
		tenants(ctx)
		for _, r := range replicas {
			for _, path := range []string{"", "/", "/aaaaaaaaaaaaaaaaaaaaaaaaaa"} {
				answer, err := ask(reviewsAt(r.port)+path, green, "ClusterUserDefinedNetwork")
				Expect(err).NotTo(HaveOccurred())
				Expect(answer.Allowed).To(BeTrue())
				Expect(answer.Warnings).To(BeEmpty())
			}
			answer, err := ask(reviewsAt(r.port), denied(), "RouteAdvertisements")
			Expect(err).NotTo(HaveOccurred())
			Expect(answer.Allowed).To(BeFalse(), "what is wrong with an object alone is no secret")
		}
	})

	It("is told apart by all replicas, by what one of them wrote", func(ctx context.Context) {
		install(ctx, replicas[0].port)
		tenants(ctx)
		stored := shipped()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: operatorHome, Name: configuration}}
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
		Expect(*stored.Webhooks[0].ClientConfig.URL).To(Equal(reviewsAt(replicas[0].port) + "/" + string(secret.Data["token"])))
		for _, r := range replicas {
			Eventually(func() ([]string, error) {
				answer, err := ask(reviewsAt(r.port)+"/"+string(secret.Data["token"]), green, "ClusterUserDefinedNetwork")
				if err != nil {
					return nil, err
				}
				return answer.Warnings, nil
			}).Should(ContainElement(ContainSubstring("10.10.0.0/16")))
		}

		By("taking away the path")
		callAt(ctx, replicas[0].port)
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
			g.Expect(*stored.Webhooks[0].ClientConfig.URL).To(HaveSuffix(string(secret.Data["token"])))
		}).Should(Succeed())
	})

	It("does not get as far as a question where the API server has a certificate", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		certificate, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
		Expect(err).NotTo(HaveOccurred())
		for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key, "clients.crt": apiServers.authority} {
			Expect(os.WriteFile(filepath.Join(folder, name), content, 0o600)).To(Succeed())
		}
		careful := launch("--webhook-cert-dir="+folder, "--webhook-client-ca-file="+filepath.Join(folder, "clients.crt"), "--webhook-client-names=kube-apiserver")
		Eventually(careful.ready).Should(Succeed())
		object := shipped()
		object.Name = "by-certificate"
		for i := range object.Webhooks {
			object.Webhooks[i].Name = "careful." + object.Webhooks[i].Name
			object.Webhooks[i].ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: new(reviewsAt(careful.port)), CABundle: certificate}
		}
		Expect(admin.Create(ctx, object)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, object)).To(Succeed()) })
		tenants(ctx)

		others, err := newAuthority()
		Expect(err).NotTo(HaveOccurred())
		for who, certificates := range map[string][]tls.Certificate{
			"with none":              nil,
			"with a kubelet's":       {apiServers.client("system:node:a")},
			"with one that is found": {others.client("kube-apiserver")},
		} {
			_, err := ask(reviewsAt(careful.port), green, "ClusterUserDefinedNetwork", certificates...)
			Expect(err).To(MatchError(ContainSubstring("tls:")), who)
		}
		answer, err := ask(reviewsAt(careful.port), green, "ClusterUserDefinedNetwork", apiServers.client("kube-apiserver"))
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Warnings).NotTo(BeEmpty())
	})
})
