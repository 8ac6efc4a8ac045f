package frrk8s

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

const (
	webhookInside = "127.0.0.1:19443"
	webhookFolder = "/run/frr-k8s-webhook"
	webhookPath   = "/validate-frrk8s-metallb-io-v1beta1-frrconfiguration"
	webhookName   = "frrconfigurationsvalidationwebhook.metallb.io"
)

// Webhook is the webhook of frr-k8s, which is asked about every FRRConfiguration.
type Webhook struct {
	process       *machine.Process
	api           client.Client
	configuration *admissionv1.ValidatingWebhookConfiguration
}

// StartWebhook runs the webhook on a machine and has the API server ask it.
func StartWebhook(ctx context.Context, m *machine.Machine, options Options, api client.Client) (*Webhook, error) {
	bundle, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return nil, err
	}
	// The flag for the folder counts for the rotation of certificates only: the server
	// looks below the temporary folder.
	certificates := path.Join(webhookFolder, "k8s-webhook-server", "serving-certs")
	for name, text := range map[string][]byte{"tls.crt": bundle, "tls.key": key} {
		if err := m.WriteFile(path.Join(certificates, name), string(text)); err != nil {
			return nil, err
		}
	}
	cmd := m.Command(context.WithoutCancel(ctx), filepath.Join(options.Binaries, "statuscleaner"),
		"--namespace="+Namespace, "--disable-cert-rotation", "--webhook-port=19443")
	cmd.Env = append(cmd.Env, "KUBECONFIG="+options.Kubeconfig, "TMPDIR="+webhookFolder)
	w := &Webhook{api: api}
	if w.process, err = m.StartCommand(ctx, "frr-k8s-webhook", cmd); err != nil {
		return nil, err
	}
	address, err := m.Expose(ctx, webhookInside)
	if err == nil {
		err = w.await(ctx, address)
	}
	if err == nil {
		w.configuration = webhookConfiguration("https://"+address+webhookPath, bundle)
		err = api.Create(ctx, w.configuration)
	}
	if err != nil {
		w.process.Kill()
		return nil, fmt.Errorf("frr-k8s' webhook: %w", err)
	}
	return w, nil
}

// await waits until the webhook answers.
func (w *Webhook) await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	browser := http.Client{
		Timeout: 5 * time.Second,
		// The certificate is this run's own; nobody else listens there.
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, //nolint:gosec // see above
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/healthz", http.NoBody)
		if err != nil {
			return err
		}
		if response, err := browser.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-w.process.Exited():
			return fmt.Errorf("ended at once: %s", w.process.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("did not start: %w", ctx.Err())
		case <-again.C:
		}
	}
}

// webhookConfiguration is frr-k8s' own, but for the address.
func webhookConfiguration(url string, bundle []byte) *admissionv1.ValidatingWebhookConfiguration {
	fail, none := admissionv1.Fail, admissionv1.SideEffectClassNone
	return &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "frr-k8s-validating-webhook-configuration"},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name:                    webhookName,
			ClientConfig:            admissionv1.WebhookClientConfig{URL: &url, CABundle: bundle},
			AdmissionReviewVersions: []string{"v1"},
			FailurePolicy:           &fail,
			SideEffects:             &none,
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups: []string{"frrk8s.metallb.io"}, APIVersions: []string{"v1beta1"}, Resources: []string{"frrconfigurations"},
				},
			}},
		}},
	}
}

// Stop has the API server ask nobody, and ends the webhook.
func (w *Webhook) Stop(ctx context.Context) error {
	defer w.process.Kill()
	return client.IgnoreNotFound(w.api.Delete(ctx, w.configuration))
}
