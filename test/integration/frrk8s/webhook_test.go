package frrk8s_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// webhook is frr-k8s' webhook process.
type webhook struct {
	port   int
	bundle []byte
}

// startWebhook starts frr-k8s' webhook and waits until it answers. It ends
// with the spec or the container that starts it.
func startWebhook(ctx context.Context) *webhook {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	w := &webhook{port: controlplane.FreePort(GinkgoT()), bundle: writeCertificate(folder)}
	ended := startBinary(webhookBinary, folder, nil, "--disable-cert-rotation", "--webhook-port="+strconv.Itoa(w.port))
	Eventually(ctx, func() error {
		select {
		case err := <-ended:
			return StopTrying(fmt.Sprintf("frr-k8s' webhook ended: %v", err))
		default:
			return w.healthy()
		}
	}).Should(Succeed())
	return w
}

// writeCertificate makes a certificate for loopback and returns the CA bundle.
// The webhook's flag for the folder only counts for the rotation of
// certificates: its server looks below the temporary folder, as is
// controller-runtime's default.
func writeCertificate(temporary string) []byte {
	GinkgoHelper()
	bundle, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	Expect(err).NotTo(HaveOccurred())
	folder := filepath.Join(temporary, "k8s-webhook-server", "serving-certs")
	Expect(os.MkdirAll(folder, 0o700)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(folder, "tls.crt"), bundle, 0o600)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(folder, "tls.key"), key, 0o600)).To(Succeed())
	return bundle
}

// healthy asks the webhook's health endpoint, which it serves only after the
// webhook itself.
func (w *webhook) healthy() error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.bundle)
	browser := http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
		Timeout:   time.Second,
	}
	response, err := browser.Get(w.url("/healthz"))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("frr-k8s' webhook answers %s", response.Status)
	}
	return nil
}

func (w *webhook) url(path string) string { return fmt.Sprintf("https://127.0.0.1:%d%s", w.port, path) }

// install makes the API server ask the webhook, with frr-k8s' own
// ValidatingWebhookConfiguration but for the address, and waits until it does.
// It is undone with the spec or the container that installs it.
func (w *webhook) install(ctx context.Context) {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(moduleField("{{.Dir}}"), "config", "webhook", "manifests.yaml"))
	Expect(err).NotTo(HaveOccurred())
	configuration := &admissionv1.ValidatingWebhookConfiguration{}
	Expect(yaml.UnmarshalStrict(text, configuration)).To(Succeed())
	Expect(configuration.Webhooks).To(HaveLen(1))
	entry := &configuration.Webhooks[0]
	Expect(*entry.FailurePolicy).To(Equal(admissionv1.Fail))
	address := w.url(*entry.ClientConfig.Service.Path)
	entry.ClientConfig = admissionv1.WebhookClientConfig{URL: &address, CABundle: w.bundle}

	empty(ctx)
	Expect(admin.Create(ctx, configuration)).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		empty(ctx)
		Expect(admin.Delete(ctx, configuration)).To(Succeed())
		Eventually(ctx, isAsked).Should(BeFalse(), "the API server still asks frr-k8s' webhook")
	})
	Eventually(ctx, isAsked).Should(BeTrue(), "the API server doesn't ask frr-k8s' webhook")
}

// isAsked tries what the CRD takes but frr-k8s doesn't.
func isAsked(ctx context.Context) bool {
	GinkgoHelper()
	createNamespace(ctx, objects.FRRNamespace)
	node := nodeNamed("canary")
	Expect(client.IgnoreAlreadyExists(admin.Create(ctx, node))).To(Succeed())
	defer func() { Expect(admin.Delete(ctx, node)).To(Succeed()) }()

	broken := configuration("canary")
	broken.Spec.BGP.Routers[0].Neighbors[0].BFDProfile = "missing"
	err := admin.Create(ctx, broken, client.DryRunAll)
	if err == nil {
		return false
	}
	Expect(err).To(MatchError(ContainSubstring("non existing BFDProfile")))
	return true
}
