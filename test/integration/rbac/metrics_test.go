package rbac_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	"github.com/onsi/gomega/types"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	certutil "k8s.io/client-go/util/cert"
)

// scraper has no rights, reader has that of config/rbac's metrics reader.
var (
	scraper = account{"default", "default", ""}
	reader  = account{"monitoring", "prometheus", ""}
)

func exit() types.GomegaMatcher { return gexec.Exit(0) }

// scrape returns the status that a scrape with the token gets, 0 for none.
func scrape(ctx context.Context, address, token string) int {
	GinkgoHelper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/metrics", http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	anybody := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // A self-signed certificate is the default.
	}}
	response, err := anybody.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// issue writes a certificate for 127.0.0.1 into the folder and returns what to
// trust.
func issue(folder string) *x509.CertPool {
	GinkgoHelper()
	certificate, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	Expect(err).NotTo(HaveOccurred())
	// As the kubelet replaces what it mounts: all at once.
	for name, content := range map[string][]byte{"tls.key": key, "tls.crt": certificate} {
		Expect(os.WriteFile(filepath.Join(folder, "new"), content, 0o600)).To(Succeed())
		Expect(os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, name))).To(Succeed())
	}
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(certificate)).To(BeTrue())
	return roots
}

// shows returns what is wrong with the certificate at an address.
func shows(address string, roots *x509.CertPool) func() error {
	return func() error {
		connection, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots}}).Dial("tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// memory is what the process occupies, as the kernel counts it.
func memory(session *gexec.Session) string {
	GinkgoHelper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", session.Command.Process.Pid))
	Expect(err).NotTo(HaveOccurred())
	return regexp.MustCompile(`VmRSS:\s*(.*)`).FindStringSubmatch(string(status))[1]
}

var _ = Describe("Metrics", Ordered, ContinueOnFailure, func() {
	BeforeAll(func(ctx context.Context) {
		create(ctx, node(1), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "metrics-reader"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "ovn-bgp-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: reader.namespace, Name: reader.name}},
		})
	})

	for program, start := range map[string]func(context.Context, ...string) *gexec.Session{"manager": startManager, "agent": startAgent} {
		Context("of the "+program, func() {
			It("are for those who may read them", func(ctx context.Context) {
				address := controlplane.FreeAddress(GinkgoT())
				session := start(ctx, "--metrics-bind-address="+address)
				Eventually(func() int { return scrape(ctx, address, "") }).Should(Equal(http.StatusUnauthorized))
				// controller-runtime calls a token that is none an error of the server.
				Expect(scrape(ctx, address, "no-token")).To(BeNumerically(">=", http.StatusUnauthorized))
				Expect(scrape(ctx, address, scraper.token(ctx))).To(Equal(http.StatusForbidden))
				Expect(scrape(ctx, address, reader.token(ctx))).To(Equal(http.StatusOK))
				plain, err := http.Get("http://" + address + "/metrics")
				Expect(err).NotTo(HaveOccurred())
				plain.Body.Close()
				Expect(plain.StatusCode).To(Equal(http.StatusBadRequest), "clear text")
				AddReportEntry("memory of the " + program + ", metrics over TLS: " + memory(session))
			})

			It("take another certificate when the files change", func(ctx context.Context) {
				folder, address := GinkgoT().TempDir(), controlplane.FreeAddress(GinkgoT())
				before := issue(folder)
				start(ctx, "--metrics-bind-address="+address, "--metrics-cert-dir="+folder)
				Eventually(shows(address, before)).Should(Succeed())
				after := issue(folder)
				Eventually(shows(address, after)).Should(Succeed())
				var unknown x509.UnknownAuthorityError
				Expect(errors.As(shows(address, before)(), &unknown)).To(BeTrue())
			})

			It("are open to all where somebody asked for that", func(ctx context.Context) {
				address := controlplane.FreeAddress(GinkgoT())
				session := start(ctx, "--metrics-bind-address="+address, "--metrics-secure=false")
				Eventually(func() int {
					response, err := http.Get("http://" + address + "/metrics")
					if err != nil {
						return 0
					}
					response.Body.Close()
					return response.StatusCode
				}).Should(Equal(http.StatusOK))
				AddReportEntry("memory of the " + program + ", metrics in clear text: " + memory(session))
			})
		})
	}
})
