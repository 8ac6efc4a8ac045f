package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook/certificate"
)

// webhookOptions are the flags of the admission webhook.
type webhookOptions struct {
	enabled bool
	port    int
	certDir string
	name    string
	clients apiServer
}

func (w *webhookOptions) addTo(f *pflag.FlagSet) {
	f.BoolVar(&w.enabled, "webhook", w.enabled,
		"check objects when they are applied: warn about what the planner finds, deny what can never work")
	f.IntVar(&w.port, "webhook-port", w.port, "port where the API server reaches the webhook, under "+webhook.Path)
	f.StringVar(&w.certDir, "webhook-cert-dir", w.certDir,
		"folder with tls.crt and tls.key for the webhook, which are read again when they change; you must then set the caBundle, too "+
			"(default: the operator creates and renews its own certificate, in the Secret --webhook-name)")
	f.StringVar(&w.name, "webhook-name", w.name,
		"name of the webhook's ValidatingWebhookConfiguration and of the Secret with its certificate")
	f.StringVar(&w.clients.file, "webhook-client-ca-file", w.clients.file,
		"file with the CA certificates that sign the API server's client certificate, read for each connection; clients without such a "+
			"certificate can't reach the webhook (default: the webhook recognises the API server by the path that the operator writes into its "+
			"ValidatingWebhookConfiguration; with --webhook-cert-dir it can't recognise it, so it checks each object by itself)")
	f.StringSliceVar(&w.clients.names, "webhook-client-names", w.clients.names,
		"common or DNS names; the client certificate must have one of them (default: any certificate that --webhook-client-ca-file signs)")
}

func (w *webhookOptions) validate() error {
	if !w.enabled {
		return nil
	}
	var problems []error
	if w.port < 1 || w.port > 65535 {
		problems = append(problems, fmt.Errorf("--webhook-port is %d: it must be 1 to 65535", w.port))
	}
	if w.name == "" {
		problems = append(problems, errors.New("--webhook-name is empty: name the ValidatingWebhookConfiguration, or set --webhook=false"))
	}
	if w.certDir != "" {
		if _, err := tls.LoadX509KeyPair(filepath.Join(w.certDir, "tls.crt"), filepath.Join(w.certDir, "tls.key")); err != nil {
			problems = append(problems, fmt.Errorf("--webhook-cert-dir: %w", err))
		}
	}
	return errors.Join(append(problems, w.clients.validate())...)
}

// withoutWebhook says why there is no webhook, "" if there is one.
func (o *options) withoutWebhook() string {
	switch w := &o.webhook; {
	case !w.enabled:
		return "--webhook=false"
	case w.certDir != "":
		return ""
	case o.observeOnly:
		return "--observe-only writes no certificate; to run the webhook anyway, set --webhook-cert-dir"
	case o.namespace == "":
		return "the namespace for the webhook's certificate is unknown; set --namespace or $POD_NAMESPACE"
	default:
		return ""
	}
}

// addWebhook adds the webhook to the manager. It has to be called before
// controllers are set up with what it returns: that hands it what they read.
func (o *options) addWebhook(m ctrl.Manager, config *rest.Config, settings model.Settings) (reads func(client.Reader), err error) {
	log := m.GetLogger().WithName("webhook")
	if why := o.withoutWebhook(); why != "" {
		log.Info("Objects are not checked when they are applied", "cause", why)
		return nil, nil
	}
	serving := ctrlwebhook.Options{Port: o.webhook.port, CertDir: o.webhook.certDir}
	knows := func(*http.Request) bool { return false }
	if o.webhook.certDir == "" {
		keeper, err := certificate.New(config, certificate.Options{
			Configuration: o.webhook.name,
			Path:          webhook.Path,
			Secret:        types.NamespacedName{Namespace: o.namespace, Name: o.webhook.name},
			Log:           log,
		})
		if err != nil {
			return nil, err
		}
		if err := m.Add(keeper); err != nil {
			return nil, err
		}
		serving.TLSOpts = append(serving.TLSOpts, func(c *tls.Config) { c.GetCertificate = keeper.GetCertificate })
		knows = func(r *http.Request) bool { return keeper.Knows(r.URL.Path) }
	}
	switch {
	case o.webhook.clients.file != "":
		serving.TLSOpts = append(serving.TLSOpts, o.webhook.clients.require)
		// Other clients fail in the handshake.
		knows = func(*http.Request) bool { return true }
	case o.webhook.certDir != "":
		log.Info("The webhook can't recognise the API server, so it checks each object by itself; set --webhook-client-ca-file")
	}
	server := ctrlwebhook.NewServer(serving)
	if err := m.Add(server); err != nil {
		return nil, err
	}
	rights, err := webhook.NewRights(config)
	if err != nil {
		return nil, err
	}
	figures := webhook.NewMetrics(ctrlmetrics.Registry)
	return func(reader client.Reader) {
		handler := webhook.NewHandler(webhook.NewValidator(reader, rights, settings, figures, time.Now), knows)
		server.Register(webhook.Path, handler)
		server.Register(webhook.Path+"/", handler)
	}, nil
}
