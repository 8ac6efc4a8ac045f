package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

func TestApply(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	RunSpecs(t, "apply")
}

var (
	cluster *controlplane.ControlPlane
	// admin is somebody else: not the operator, and not counted.
	admin  client.Client
	scheme = runtime.NewScheme()
)

var _ = BeforeSuite(func() {
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(frrk8sv1beta1.AddToScheme(scheme)).To(Succeed())
	cluster = controlplane.StartForTest(GinkgoT(), controlplane.Options{})
	var err error
	admin, err = client.New(cluster.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
})

// wire counts the operator's writes and can fail them.
type wire struct {
	next http.RoundTripper

	mu      sync.Mutex
	written []string
	fault   func(*http.Request) (*http.Response, error)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	fault := w.fault
	if r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" {
		w.written = append(w.written, r.Method+" "+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	}
	w.mu.Unlock()
	if fault != nil && r.Method != http.MethodGet {
		if response, err := fault(r); response != nil || err != nil {
			return response, err
		}
	}
	return w.next.RoundTrip(r)
}

// writes returns the writes since the last call.
func (w *wire) writes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	written := w.written
	w.written = nil
	return written
}

func (w *wire) failWith(fault func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

func statusOf(code int, reason metav1.StatusReason, message string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"reason":%q,"code":%d}`, message, reason, code)
		return &http.Response{
			StatusCode: code, Status: http.StatusText(code), Request: r,
			Header: http.Header{"Content-Type": []string{"application/json"}},
			Body:   io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

var errLost = errors.New("connection lost")

// newApplier is an operator of its own, as after a restart.
func newApplier(config *rest.Config) (*apply.Applier, *wire) {
	GinkgoHelper()
	w := &wire{}
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.next = next
		return w
	})
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return apply.NewApplier(c, time.Now), w
}

// newNamespace makes a namespace for one test.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "frr-"}}
	Expect(admin.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

// live is what an up-to-date cache would show of the namespace.
func live(ctx context.Context, namespace string) []apply.LiveObject {
	GinkgoHelper()
	var list frrk8sv1beta1.FRRConfigurationList
	Expect(admin.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
	var objects []apply.LiveObject
	for i := range list.Items {
		stripped, err := apply.StripGenerated(&list.Items[i])
		Expect(err).NotTo(HaveOccurred())
		objects = append(objects, apply.Live(stripped.(*frrk8sv1beta1.FRRConfiguration)))
	}
	return objects
}

func get(ctx context.Context, namespace, name string) *frrk8sv1beta1.FRRConfiguration {
	GinkgoHelper()
	o := &frrk8sv1beta1.FRRConfiguration{}
	Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o)).To(Succeed())
	return o
}

func pointerTo[T any](v T) *T { return &v }

// desired is one node's objects: one router of the default VRF, with more VRFs
// that leak with it.
func desired(namespace, node string, vrfs int) []*frrk8sv1beta1.FRRConfiguration {
	prefix := netip.MustParsePrefix("10.244.1.0/24")
	router := model.Router{ASN: 64512, ID: "192.0.2.1", Routes: []model.Route{{Prefix: prefix}}}
	config := model.NodeConfig{
		Namespace: namespace, Contributors: []string{"default"},
		BFDProfiles: []model.BFDProfile{{Name: "fast", ReceiveInterval: pointerTo[uint32](100), EchoMode: pointerTo(false)}},
	}
	for i := range vrfs {
		vrf := fmt.Sprintf("net-%03d", i)
		router.Imports = append(router.Imports, vrf)
		config.Routers = append(config.Routers, model.Router{ASN: 64512, VRF: vrf, Imports: []string{model.DefaultVRF}})
	}
	router.Neighbors = []model.Neighbor{
		{
			Session: model.Session{
				Address: "192.0.2.254", ASN: 64513, LocalASN: 64514, SourceAddress: "192.0.2.1", Port: pointerTo[uint16](1179),
				PasswordSecret: model.SecretReference{Name: "bgp", Namespace: namespace},
				HoldTime:       pointerTo(180 * time.Second), KeepaliveTime: pointerTo(time.Minute), ConnectTime: pointerTo(10 * time.Second),
				EBGPMultiHop: true, BFDProfile: "fast", GracefulRestart: true, AllowAsIn: "origin",
				AddressFamilies: []string{"evpn", "unicast"}, NextHopIPv4: "192.0.2.7",
			},
			Advertise: []model.Route{{Prefix: prefix}},
			Receive:   []model.PrefixMatch{{Prefix: netip.MustParsePrefix("10.244.0.0/16"), GE: 24, LE: 24}},
		},
		{Session: model.Session{Interface: "eth1", DynamicASN: "external"}},
	}
	config.Routers = append([]model.Router{router}, config.Routers...)
	return render.Node(&model.NodePlan{Node: node, Hostname: node, Configs: []model.NodeConfig{config}})
}

// kindOf is the kind of the first Error in err, -1 where there is none.
func kindOf(err error) apply.Kind {
	var e *apply.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return -1
}
