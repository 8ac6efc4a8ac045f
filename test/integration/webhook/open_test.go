package webhook_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func reviewsAt(port int) string { return fmt.Sprintf("https://127.0.0.1:%d/validate", port) }

// installAt applies config/webhook without anybody who keeps it.
func installAt(ctx context.Context, port int) {
	GinkgoHelper()
	object := shipped()
	object.Name = "nobody-keeps-it"
	for i := range object.Webhooks {
		object.Webhooks[i].Name = "open." + object.Webhooks[i].Name
		object.Webhooks[i].ClientConfig = admissionregistrationv1.WebhookClientConfig{URL: new(reviewsAt(port))}
	}
	Expect(admin.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, object)).To(Succeed()) })
}

// silent listens and calls back whenever somebody connects, and never answers.
func silent(called chan<- struct{}) int {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(listener.Close)
	go func() {
		var open []net.Conn
		for {
			connection, err := listener.Accept()
			if err != nil {
				for _, c := range open {
					c.Close()
				}
				return
			}
			open = append(open, connection)
			select {
			case called <- struct{}{}:
			default:
			}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

var _ = Describe("Objects pass", func() {
	It("while nobody answers, within the time that the configuration gives", func(ctx context.Context) {
		called := make(chan struct{}, 1)
		installAt(ctx, silent(called))
		Eventually(func() chan struct{} {
			began := time.Now()
			Expect(admin.Create(ctx, denied(), client.DryRunAll)).To(Succeed())
			Expect(time.Since(began)).To(BeNumerically("<", 10*time.Second))
			return called
		}).Should(Receive())
	})

	It("while nobody is there", func(ctx context.Context) {
		installAt(ctx, controlplane.FreePort(GinkgoT()))
		for range 3 {
			Expect(admin.Create(ctx, denied(), client.DryRunAll)).To(Succeed())
		}
	})

	It("while the certificate is not the one that is trusted", func(ctx context.Context) {
		installAt(ctx, replicas[0].port)
		for range 3 {
			Expect(admin.Create(ctx, denied(), client.DryRunAll)).To(Succeed())
		}
	})

	It("without the webhook, and the routes go on", func() {
		for _, r := range replicas {
			Expect(r.ready()).To(Succeed(), "a manager whose webhook nobody calls")
		}
	})
})
