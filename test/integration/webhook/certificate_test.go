package webhook_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook/certificate"
)

// clock can be set forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}

const day = 24 * time.Hour

var _ = Describe("The certificate", Ordered, func() {
	var (
		wall    = &clock{}
		keepers [2]*certificate.Keeper
		secret  = &corev1.Secret{}
		hook    = calledByTwoNames
	)
	// The managers of the other tests keep theirs by their own clock.
	key := types.NamespacedName{Namespace: operatorHome, Name: "by-the-clock"}
	stored := func(ctx context.Context) *corev1.Secret {
		secret := &corev1.Secret{}
		Expect(client.IgnoreNotFound(admin.Get(ctx, key, secret))).To(Succeed())
		return secret
	}
	bundle := func(ctx context.Context) string {
		object := hook()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		for i := range object.Webhooks {
			Expect(object.Webhooks[i].ClientConfig.CABundle).To(Equal(object.Webhooks[0].ClientConfig.CABundle))
		}
		return string(object.Webhooks[0].ClientConfig.CABundle)
	}
	shown := func(k *certificate.Keeper) func() string {
		return func() string {
			certificate, err := k.GetCertificate(nil)
			if err != nil {
				return err.Error()
			}
			return certificate.Leaf.SerialNumber.String()
		}
	}
	start := func() *certificate.Keeper {
		GinkgoHelper()
		keeper, err := certificate.New(cluster.Config, certificate.Options{
			Configuration: key.Name, Path: webhook.Path, Secret: key, Now: wall.now, Pause: time.Millisecond, Log: logr.FromSlogHandler(slogTo(GinkgoWriter)),
		})
		Expect(err).NotTo(HaveOccurred())
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- keeper.Start(ctx) }()
		DeferCleanup(func() {
			cancel()
			Eventually(ended).Should(Receive(BeNil()))
		})
		return keeper
	}

	BeforeAll(func() {
		for i := range keepers {
			keepers[i] = start()
		}
	})
	AfterAll(func(ctx context.Context) {
		Expect(client.IgnoreNotFound(admin.Delete(ctx, hook()))).To(Succeed())
		Expect(client.IgnoreNotFound(admin.Delete(ctx, stored(ctx)))).To(Succeed())
	})

	It("is not made for nobody", func(ctx context.Context) {
		Consistently(func() map[string][]byte { return stored(ctx).Data }, "500ms").Should(BeEmpty())
		Expect(shown(keepers[0])()).To(ContainSubstring("no certificate yet"))
	})

	It("is one for all replicas, and trusted", func(ctx context.Context) {
		object := hook()
		Expect(admin.Create(ctx, object)).To(Succeed())
		for _, k := range keepers {
			Eventually(shown(k)).ShouldNot(ContainSubstring("no certificate"))
			Eventually(shown(k)).Should(Equal(serialOf(stored(ctx))))
		}
		secret = stored(ctx)
		Expect(bundle(ctx)).To(Equal(string(secret.Data["ca.crt"])))
		Expect(secret.Type).To(Equal(corev1.SecretTypeTLS))
		Expect(secret.OwnerReferences).To(ConsistOf(HaveField("UID", object.UID)), "it goes with the webhook")
		Expect(secret.Data).To(HaveLen(4), "the authority's key is not kept")

		By("telling the API server alone by which path")
		path := "/validate/" + string(secret.Data["token"])
		for _, k := range keepers {
			Expect(k.Knows(path)).To(BeTrue())
			Expect(k.Knows("/validate")).To(BeFalse())
			Expect(k.Knows("/validate/")).To(BeFalse())
		}
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		Expect(*object.Webhooks[0].ClientConfig.URL).To(HaveSuffix(path))
		Expect(*object.Webhooks[1].ClientConfig.Service).To(And(HaveField("Path", HaveValue(Equal(path))), HaveField("Name", "ovn-bgp-operator-webhook")))

		roots := x509.NewCertPool()
		Expect(roots.AppendCertsFromPEM([]byte(bundle(ctx)))).To(BeTrue())
		pair, err := keepers[1].GetCertificate(&tls.ClientHelloInfo{})
		Expect(err).NotTo(HaveOccurred())
		for _, name := range []string{"127.0.0.1", "ovn-bgp-operator-webhook.ovn-bgp-operator-system.svc"} {
			_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
			Expect(err).NotTo(HaveOccurred(), name)
		}
	})

	It("stays as it is while it is good", func(ctx context.Context) {
		wall.forward(50 * day)
		again := start()
		Eventually(shown(again)).Should(Equal(serialOf(secret)))
		Expect(stored(ctx).ResourceVersion).To(Equal(secret.ResourceVersion))
	})

	It("is renewed in time, and the old one stays trusted", func(ctx context.Context) {
		wall.forward(11 * day)
		first := start()
		Eventually(func() string { return serialOf(stored(ctx)) }).ShouldNot(Equal(serialOf(secret)))
		Eventually(shown(first)).Should(Equal(serialOf(stored(ctx))))
		// Replicas that did not look at their clock see it in the Secret.
		Eventually(shown(keepers[0])).Should(Equal(serialOf(stored(ctx))))
		Expect(bundle(ctx)).To(ContainSubstring(string(secret.Data["ca.crt"])))
		Expect(certificates(bundle(ctx))).To(Equal(2))
		Expect(stored(ctx).Data["token"]).To(Equal(secret.Data["token"]))
		secret = stored(ctx)
	})

	It("is trusted again where somebody took the trust away", func(ctx context.Context) {
		object := hook()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		object.Webhooks[0].ClientConfig.CABundle = nil
		Expect(admin.Update(ctx, object)).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			g.Expect(object.Webhooks[0].ClientConfig.CABundle).To(Equal(secret.Data["ca.crt"]))
		}).Should(Succeed())
	})

	It("is replaced where it was deleted or broken", func(ctx context.Context) {
		Expect(admin.Delete(ctx, stored(ctx))).To(Succeed())
		Eventually(func() map[string][]byte { return stored(ctx).Data }).ShouldNot(BeEmpty())
		Expect(serialOf(stored(ctx))).NotTo(Equal(serialOf(secret)))
		secret = stored(ctx)
		broken := secret.DeepCopy()
		broken.Data[corev1.TLSPrivateKeyKey] = []byte("none")
		Expect(admin.Update(ctx, broken)).To(Succeed())
		Eventually(func() string { return serialOf(stored(ctx)) }).Should(And(MatchRegexp(`^\d+$`), Not(Equal(serialOf(secret)))))
		Eventually(shown(keepers[0])).Should(Equal(serialOf(stored(ctx))))
	})

	It("is for another name once the webhook is called by it", func(ctx context.Context) {
		object := hook()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		object.Webhooks[0].ClientConfig.URL = new("https://bgp.example.org:9443/validate")
		Expect(admin.Update(ctx, object)).To(Succeed())
		Eventually(func() error {
			pair, err := keepers[0].GetCertificate(nil)
			if err != nil {
				return err
			}
			return pair.Leaf.VerifyHostname("bgp.example.org")
		}).Should(Succeed())
	})

	It("forgets authorities whose time is over", func(ctx context.Context) {
		wall.forward(100 * day)
		start()
		Eventually(func() int { return certificates(string(stored(ctx).Data["ca.crt"])) }).Should(Equal(1))
		Eventually(func() int { return certificates(bundle(ctx)) }).Should(Equal(1))
	})
})

// calledByTwoNames is called by an address and by a service, for which nobody
// listens.
func calledByTwoNames() *admissionregistrationv1.ValidatingWebhookConfiguration {
	object := shipped()
	object.Name = "by-the-clock"
	object.Webhooks[0].ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: new(reviewsAt(1))}
	return object
}

func serialOf(secret *corev1.Secret) string {
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return fmt.Sprintf("unusable: %v", err)
	}
	return pair.Leaf.SerialNumber.String()
}

func certificates(bundle string) int {
	count := 0
	for rest := []byte(bundle); ; count++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return count
		}
	}
}
