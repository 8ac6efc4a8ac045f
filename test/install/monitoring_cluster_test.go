package install

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// scraped adds what a program serves to the metrics.
func (c *cluster) scraped(address, token string, into map[string]metric) {
	c.t.Helper()
	scraper := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // As the ServiceMonitor does by default.
	var text string
	c.Eventually(func() error {
		request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "https://"+address+"/metrics", http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := scraper.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if text = string(content); response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", response.Status, text)
		}
		return err
	}).Should(Succeed())
	sample := regexp.MustCompile(`(?m)^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`(\w+)="`)
	for _, match := range sample.FindAllStringSubmatch(text, -1) {
		m, found := into[match[1]]
		if !found {
			if strings.HasPrefix(match[1], "ovnbgp_") {
				c.t.Errorf("%s is served and not known to this test", match[1])
			}
			m = metric{labels: map[string]bool{}}
		}
		for _, l := range label.FindAllStringSubmatch(match[2], -1) {
			m.labels[l[1]] = true
		}
		into[match[1]] = m
	}
}

// reader is a token of a service account that may read metrics, as Prometheus'.
func (c *cluster) reader() string {
	c.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "prometheus"}}
	c.create(account)
	c.kubectl("create", "clusterrolebinding", "ovn-bgp-metrics", "--clusterrole=ovn-bgp-metrics-reader", "--serviceaccount=default:prometheus")
	request := &authenticationv1.TokenRequest{}
	c.Expect(c.admin.SubResource("token").Create(c.t.Context(), account, request)).To(Succeed())
	return request.Status.Token
}

// TestMonitoring installs everything with the Prometheus operator's own CRDs,
// and compares every query with what a manager and an agent really serve.
func TestMonitoring(t *testing.T) {
	prometheusTool(t, "selectors")
	c := newCluster(t)
	c.kubectl("apply", "--server-side", "--filename="+filepath.Join(root(t), ".cache", "prometheus", "crds"))
	c.kubectl("apply", "--server-side", "--kustomize=config/default")
	c.Eventually(func() error {
		_, err := command(t, c.Binaries.Kubectl, "--kubeconfig="+c.kubeconfig, "apply", "--server-side", "--validate=strict", "--kustomize="+monitoring)
		return err
	}).Should(Succeed())
	c.Expect(c.kubectl("get", "servicemonitors,prometheusrules,configmaps", "--all-namespaces", "--selector=app.kubernetes.io/name=ovn-bgp-operator", "--output=name")).
		To(And(ContainSubstring("servicemonitor.monitoring.coreos.com/ovn-bgp-agent"), ContainSubstring("servicemonitor.monitoring.coreos.com/ovn-bgp-operator"),
			ContainSubstring("prometheusrule.monitoring.coreos.com/ovn-bgp-operator"), ContainSubstring("configmap/ovn-bgp-operator-dashboard")))
	c.story()
	c.run(home, c.deployed())
	c.works()
	c.runAgent()
	served, token := map[string]metric(own()), c.reader()
	c.scraped("127.0.0.1:8443", token, served)
	c.scraped("127.0.0.1:8082", token, served)
	asked(t, served)
}

// runAgent runs the agent as its DaemonSet says, on a node without OVN.
func (c *cluster) runAgent() {
	c.t.Helper()
	var agent appsv1.DaemonSet
	c.Expect(c.admin.Get(c.t.Context(), client.ObjectKey{Namespace: agentHome, Name: "ovn-bgp-agent"}, &agent)).To(Succeed())
	pod := &agent.Spec.Template.Spec
	container := &pod.Containers[0]
	for i := range container.Args {
		// The host's folder that would be mounted must not be this machine's.
		container.Args[i] = strings.ReplaceAll(container.Args[i], container.VolumeMounts[0].MountPath, c.t.TempDir())
	}
	container.Env = []corev1.EnvVar{{Name: "NODE_NAME", Value: "node-1"}}
	c.run(agentHome, pod)
}
