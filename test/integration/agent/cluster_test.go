package agent

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// cluster is an API server with the node n1, as the agent sees it: with the
// rights that config/agent gives.
type cluster struct {
	plane      *controlplane.ControlPlane
	api        client.Client
	kubeconfig string
	binary     string
}

// newCluster takes the API server that OVNBGP_LAB_KUBECONFIG leads to, as in
// the virtual machine, or starts one.
func newCluster(annotations map[string]string) *cluster {
	GinkgoHelper()
	c := &cluster{binary: shippedAgent()}
	if path := os.Getenv("OVNBGP_LAB_KUBECONFIG"); path != "" {
		config, err := clientcmd.BuildConfigFromFlags("", path)
		Expect(err).NotTo(HaveOccurred())
		config.QPS = -1
		c.plane = &controlplane.ControlPlane{Config: config}
	} else {
		c.plane = controlplane.StartForTest(GinkgoTB(), controlplane.Options{NADs: true})
	}
	Expect(ovnv1.AddToScheme(scheme.Scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())
	var err error
	c.api, err = client.New(c.plane.Config, client.Options{Scheme: scheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	c.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Annotations: annotations}})
	DeferCleanup(func() {
		_ = c.api.Delete(ctx(), &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	})
	c.authorize()
	return c
}

// create makes an object that goes at the end: others may use the API server
// afterwards.
func (c *cluster) create(object client.Object) {
	GinkgoHelper()
	Expect(c.api.Create(ctx(), object)).To(Succeed())
	DeferCleanup(func() { _ = c.api.Delete(ctx(), object) })
}

// authorize makes a kubeconfig with the service account's token.
func (c *cluster) authorize() {
	GinkgoHelper()
	const namespace, name = "ovn-bgp-agent-system", "ovn-bgp-agent"
	root, err := controlplane.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	for _, file := range []string{"role.yaml", "role_binding.yaml"} {
		text, err := os.Open(filepath.Join(root, "config", "agent", file))
		Expect(err).NotTo(HaveOccurred())
		documents := yaml.NewYAMLReader(bufio.NewReader(text))
		for document, err := documents.Read(); !errors.Is(err, io.EOF); document, err = documents.Read() {
			Expect(err).NotTo(HaveOccurred())
			object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
			Expect(err).NotTo(HaveOccurred(), string(document))
			c.create(object.(client.Object))
		}
		_ = text.Close()
	}
	// Namespaces stay without the controller that empties them.
	err = c.api.Create(ctx(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	Expect(client.IgnoreAlreadyExists(err)).To(Succeed())
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	c.create(account)
	token := &authenticationv1.TokenRequest{}
	Expect(c.api.SubResource("token").Create(ctx(), account, token)).To(Succeed())

	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: c.plane.Config.Host, CertificateAuthorityData: c.plane.Config.CAData}
	config.AuthInfos["a"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "a"}
	config.CurrentContext = "c"
	c.kubeconfig = filepath.Join(GinkgoT().TempDir(), "agent")
	Expect(clientcmd.WriteToFile(*config, c.kubeconfig)).To(Succeed())
}

func (c *cluster) command(n *node, arguments ...string) *exec.Cmd {
	GinkgoHelper()
	relay(n, c.plane)
	return exec.Command("ip", append([]string{"netns", "exec", n.ns.Name, c.binary,
		"--node=n1", "--kubeconfig=" + c.kubeconfig, "--ovn-nb=" + n.server.Endpoint(), "--cluster-subnets=10.244.0.0/16", "--service-subnets=10.96.0.0/16",
		"--log-format=text", "--timeout=60s", "--metrics-bind-address=127.0.0.1:8082", "--metrics-secure=false", "--health-probe-bind-address=0"}, arguments...)...)
}

// process is an agent that runs.
type process struct {
	command *exec.Cmd
	log     *gbytes.Buffer
	ended   bool
}

func (c *cluster) startAgent(n *node, arguments ...string) *process {
	GinkgoHelper()
	p := &process{command: c.command(n, arguments...), log: gbytes.NewBuffer()}
	p.command.Stdout, p.command.Stderr = p.log, p.log
	Expect(p.command.Start()).To(Succeed())
	DeferCleanup(func() {
		p.kill()
		GinkgoWriter.Println(string(p.log.Contents()))
	})
	return p
}

// kill is kill -9.
func (p *process) kill() {
	if !p.ended {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
		p.ended = true
	}
}

func (p *process) expectLog(text string) {
	GinkgoHelper()
	Eventually(func() string { return string(p.log.Contents()) }, time.Minute, 100*time.Millisecond).Should(ContainSubstring(text))
}

func (c *cluster) createCUDN(name string, subnets ...string) {
	GinkgoHelper()
	cudn := &ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"net": name}}}
	cudn.Spec.NamespaceSelector.MatchLabels = map[string]string{"net": name}
	layer3 := &ovnv1.Layer3Config{Role: ovnv1.NetworkRolePrimary}
	for _, subnet := range subnets {
		host := int32(24)
		if strings.Contains(subnet, ":") {
			host = 64
		}
		layer3.Subnets = append(layer3.Subnets, ovnv1.Layer3Subnet{CIDR: ovnv1.CIDR(subnet), HostSubnet: host})
	}
	cudn.Spec.Network = ovnv1.NetworkSpec{Topology: ovnv1.NetworkTopologyLayer3, Layer3: layer3}
	c.create(cudn)
}

func (c *cluster) removeCUDN(names ...string) {
	GinkgoHelper()
	for _, name := range names {
		Expect(c.api.Delete(ctx(), &ovnv1.ClusterUserDefinedNetwork{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}
}

// advertise makes RouteAdvertisements for a network, as the manager leaves
// them.
func (c *cluster) advertise(network, target string, accepted bool) *ovnv1.RouteAdvertisements {
	GinkgoHelper()
	ra := &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: network}}
	ra.Spec.TargetVRF = target
	ra.Spec.Advertisements = []ovnv1.AdvertisementType{ovnv1.AdvertisePodNetwork}
	ra.Spec.NetworkSelectors = ovnv1.NetworkSelectors{{NetworkSelectionType: ovnv1.ClusterUserDefinedNetworks,
		ClusterUserDefinedNetworkSelector: &ovnv1.ClusterUserDefinedNetworkSelector{
			NetworkSelector: metav1.LabelSelector{MatchLabels: map[string]string{"net": network}}}}}
	c.create(ra)
	c.accept(ra, accepted)
	return ra
}

func (c *cluster) retarget(ra *ovnv1.RouteAdvertisements, target string, accepted bool) {
	GinkgoHelper()
	c.accept(ra, accepted)
	ra.Spec.TargetVRF = target
	Expect(c.api.Update(ctx(), ra)).To(Succeed())
}

func (c *cluster) accept(ra *ovnv1.RouteAdvertisements, accepted bool) {
	GinkgoHelper()
	status := metav1.ConditionFalse
	if accepted {
		status = metav1.ConditionTrue
	}
	ra.Status.Conditions = []metav1.Condition{{Type: ovnv1.RouteAdvertisementsAccepted, Status: status, Reason: "Test", LastTransitionTime: metav1.Now(), ObservedGeneration: ra.Generation}}
	Expect(c.api.Status().Update(ctx(), ra)).To(Succeed())
}

func (c *cluster) remove(object client.Object) {
	GinkgoHelper()
	Expect(c.api.Delete(ctx(), object)).To(Succeed())
}

func (c *cluster) state() v1alpha1.NodeRouteStateStatus {
	var object v1alpha1.NodeRouteState
	_ = c.api.Get(ctx(), client.ObjectKey{Name: "n1"}, &object)
	return object.Status
}

// network is a network's part of the NodeRouteState, empty while there is none.
func (c *cluster) network(name string) v1alpha1.NetworkRouteState {
	for _, n := range c.state().Networks {
		if n.Name == name {
			return n
		}
	}
	return v1alpha1.NetworkRouteState{}
}

// events are those about VRFs whose note begins so, as "Type Reason note".
func (c *cluster) events(about string) []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(c.api.List(ctx(), &list)).To(Succeed())
	var out []string
	for i := range list.Items {
		if e := &list.Items[i]; e.Action == "MakeVRF" && strings.HasPrefix(e.Note, about) {
			out = append(out, e.Type+" "+e.Reason+" "+e.Note)
		}
	}
	return out
}

// metrics are what the agent serves in the node, "" while it doesn't.
func (c *cluster) metrics(n *node) string {
	dial := func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		err = within(n, func() (err error) {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: dial}
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("http://127.0.0.1:8082/metrics")
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}
