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
	"slices"
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
	// decided is what a manager has published for the node.
	decided *v1alpha1.NodeNetworks
}

// newCluster takes the API server that OVNBGP_LAB_KUBECONFIG leads to, as in
// the virtual machine, or starts one.
func newCluster() *cluster {
	GinkgoHelper()
	c := &cluster{binary: shippedAgent()}
	if path := os.Getenv("OVNBGP_LAB_KUBECONFIG"); path != "" {
		config, err := clientcmd.BuildConfigFromFlags("", path)
		Expect(err).NotTo(HaveOccurred())
		config.QPS = -1
		c.plane = &controlplane.ControlPlane{Config: config}
	} else {
		c.plane = controlplane.StartForTest(GinkgoTB(), controlplane.Options{})
	}
	Expect(v1alpha1.AddToScheme(scheme.Scheme)).To(Succeed())
	var err error
	c.api, err = client.New(c.plane.Config, client.Options{Scheme: scheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	n1 := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	c.create(n1)
	c.decided = decided(n1)
	c.create(c.decided)
	DeferCleanup(func() {
		_ = c.api.Delete(ctx(), &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	})
	c.authorize()
	return c
}

// decided is what a manager publishes for a node on which nothing is advertised.
func decided(n *corev1.Node) *v1alpha1.NodeNetworks {
	return &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: n.Name}, Spec: v1alpha1.NodeNetworksSpec{
		NodeUID: n.UID, Gateway: "gw0", Addresses: []v1alpha1.CIDR{"172.18.0.1/16"},
		Networks: []v1alpha1.NodeNetwork{{Name: "default", Topology: "Layer3", HostSubnets: []v1alpha1.CIDR{"10.244.1.0/24"}, PodVRFs: []v1alpha1.VRFName{"default"}}},
	}}
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

// decide changes what is published.
func (c *cluster) decide(change func(*v1alpha1.NodeNetworksSpec)) {
	GinkgoHelper()
	change(&c.decided.Spec)
	Expect(c.api.Update(ctx(), c.decided)).To(Succeed())
}

// addNetwork publishes a Layer3 network with a VRF of its name, and the ID that it
// has in all tests.
func (c *cluster) addNetwork(name string, subnets ...v1alpha1.CIDR) {
	GinkgoHelper()
	ids := map[string]int32{"blue": 5, "green": 6, "red": 7}
	c.decide(func(s *v1alpha1.NodeNetworksSpec) {
		s.Networks = append(s.Networks, v1alpha1.NodeNetwork{
			Name: "cluster_udn_" + name, Topology: "Layer3", ID: ids[name], VRF: name, Subnets: subnets, PodVRFs: []v1alpha1.VRFName{v1alpha1.VRFName(name)},
		})
	})
}

func (c *cluster) removeNetworks(names ...string) {
	GinkgoHelper()
	c.decide(func(s *v1alpha1.NodeNetworksSpec) {
		s.Networks = slices.DeleteFunc(s.Networks, func(n v1alpha1.NodeNetwork) bool { return slices.Contains(names, n.VRF) })
	})
}

// changeNetwork publishes another decision about a network.
func (c *cluster) changeNetwork(name string, change func(*v1alpha1.NodeNetwork)) {
	GinkgoHelper()
	c.decide(func(s *v1alpha1.NodeNetworksSpec) {
		for i := range s.Networks {
			if s.Networks[i].VRF == name {
				change(&s.Networks[i])
			}
		}
	})
}

// ownVRF has a network advertised in its own VRF and meant for that alone, defaultVRF
// in the default one, and unadvertised is meant for the default one and not advertised.
func ownVRF(n *v1alpha1.NodeNetwork) {
	n.AdvertisedIn, n.OwnVRFOnly, n.PodVRFs = []v1alpha1.VRFName{v1alpha1.VRFName(n.VRF)}, true, []v1alpha1.VRFName{v1alpha1.VRFName(n.VRF)}
}

func defaultVRF(n *v1alpha1.NodeNetwork) {
	n.AdvertisedIn, n.OwnVRFOnly, n.PodVRFs = []v1alpha1.VRFName{"default"}, false, []v1alpha1.VRFName{v1alpha1.VRFName(n.VRF), "default"}
}

func unadvertised(n *v1alpha1.NodeNetwork) {
	defaultVRF(n)
	n.AdvertisedIn = nil
}

func nowhere(n *v1alpha1.NodeNetwork) {
	n.AdvertisedIn, n.OwnVRFOnly, n.PodVRFs = nil, false, []v1alpha1.VRFName{v1alpha1.VRFName(n.VRF)}
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
