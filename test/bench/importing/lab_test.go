package importing

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// lab is what all sizes share.
type lab struct {
	binary, kubeconfig, apiServer string
	nodes                         typedcorev1.NodeInterface
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
	api, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		b.Fatal(err)
	}
	l.nodes = api.CoreV1().Nodes()
	l.createNode(b)
	return l
}

func (l *lab) createNode(b *testing.B) {
	b.Helper()
	if _, err := l.nodes.Create(b.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
}

func (l *lab) deleteNode(b *testing.B) {
	b.Helper()
	if err := l.nodes.Delete(b.Context(), nodeName, metav1.DeleteOptions{}); err != nil {
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
// not know of any network until its Node comes: starting a process and
// informers takes 0.1 s more or less, which is more than 1,000 routes do.
func (l *lab) importsWhenTold(b *testing.B, n *node, routes int) (*agent, *northbound, time.Duration) {
	b.Helper()
	l.deleteNode(b)
	nb := newNorthbound(b)
	a := l.startAgent(b, n, nb)
	nbserver.Eventually(b, time.Minute, "the agent misses its Node", func() bool {
		text := a.log.String()
		return strings.Contains(text, "Connected") && strings.Contains(text, nodeName+`\" not found`)
	})
	start := time.Now()
	l.createNode(b)
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
