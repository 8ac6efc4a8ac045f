package importing

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// lab is what all sizes share.
type lab struct {
	binary, kubeconfig, apiServer string
	api                           client.Client
	// told is how long importsWhenTold takes for one route, which is nearly all
	// the API server's; oneRoute is the agent's peak memory then.
	told     time.Duration
	oneRoute float64
	// first is what one change took at the smallest size.
	first *share
}

func newLab(b *testing.B) *lab {
	b.Helper()
	plane := controlplane.StartForTest(b, controlplane.Options{})
	server, err := url.Parse(plane.Config.Host)
	if err != nil {
		b.Fatal(err)
	}
	l := &lab{binary: buildAgent(b), kubeconfig: filepath.Join(b.TempDir(), "kubeconfig"), apiServer: server.Host}
	if err := plane.WriteKubeconfig(l.kubeconfig); err != nil {
		b.Fatal(err)
	}
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	if l.api, err = client.New(plane.Config, client.Options{Scheme: scheme}); err != nil {
		b.Fatal(err)
	}
	l.publish(b)
	return l
}

func nodeNetworks() *v1alpha1.NodeNetworks {
	return &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: nodeName}, Spec: v1alpha1.NodeNetworksSpec{
		Networks: []v1alpha1.NodeNetwork{{Name: "default", Topology: "Layer3"}},
	}}
}

// publish tells the node's agent its networks, as the manager does.
func (l *lab) publish(b *testing.B) {
	b.Helper()
	if err := l.api.Create(b.Context(), nodeNetworks()); err != nil {
		b.Fatal(err)
	}
}

func (l *lab) withdraw(b *testing.B) {
	b.Helper()
	if err := l.api.Delete(b.Context(), nodeNetworks()); err != nil {
		b.Fatal(err)
	}
}

// imports starts an agent and waits until it has imported so many routes.
func (l *lab) imports(b *testing.B, n *node, routes int) (*agent, *northbound, time.Duration) {
	b.Helper()
	nb := newNorthbound(b)
	a := l.startAgent(b, n, nb)
	return a, nb, nb.rows(b, routes, a.log.String).Sub(a.began)
}

// importsWhenTold is imports for an agent that runs and is connected, but does
// not know of any network until its NodeNetworks comes: starting a process and
// informers takes 0.1 s more or less, which is more than 1,000 routes do.
func (l *lab) importsWhenTold(b *testing.B, n *node, routes int) (*agent, *northbound, time.Duration) {
	b.Helper()
	l.withdraw(b)
	nb := newNorthbound(b)
	a := l.startAgent(b, n, nb)
	nbserver.Eventually(b, time.Minute, "the agent misses its NodeNetworks", func() bool {
		text := a.log.String()
		return strings.Contains(text, "Connected") && strings.Contains(text, "no NodeNetworks for this node")
	})
	start := time.Now()
	l.publish(b)
	return a, nb, nb.rows(b, routes, a.log.String).Sub(start)
}

// measureStartup imports one route: what is left is starting a process and
// connecting to two servers.
func (l *lab) measureStartup(b *testing.B) {
	n := newNode(b, l.apiServer)
	n.change(b, "add", 0, 1)
	var took, told []time.Duration
	for range 7 {
		a, nb, t := l.imports(b, n, 1)
		took = append(took, t)
		_, peak := a.memory(b)
		l.oneRoute = max(l.oneRoute, peak)
		a.stop(b)
		nb.end()
		a, nb, t = l.importsWhenTold(b, n, 1)
		told = append(told, t)
		a.stop(b)
		nb.end()
	}
	l.told = median(told)
	report(b, milliseconds("ms-from-exec", median(took)), milliseconds("ms-from-node", l.told), metric{"peak-MiB", l.oneRoute})
}
