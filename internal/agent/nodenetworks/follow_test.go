package nodenetworks_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// applied is what a watcher told.
type applied struct {
	networks []agent.Network
	complete bool
}

// follower is a watcher that runs.
type follower struct {
	*nodenetworks.Watcher
	told       chan applied
	complaints chan string
	ended      chan error
	changed    chan struct{}
	cancel     context.CancelFunc
}

func follow(t *testing.T, config *rest.Config, change func(*nodenetworks.Watcher)) *follower {
	t.Helper()
	f := &follower{told: make(chan applied, 16), complaints: make(chan string, 16), ended: make(chan error, 1), changed: make(chan struct{}, 1)}
	f.Watcher = &nodenetworks.Watcher{
		Config: config, Settings: nodenetworks.Settings{Node: "n1", PodsTold: true, ServicesTold: true}, Patient: true,
		Log: funcr.New(func(_, text string) {
			t.Log(text)
			f.complaints <- text
		}, funcr.Options{}),
		Apply: func(networks []agent.Network, complete bool) { f.told <- applied{networks, complete} },
		Changed: func() {
			select {
			case f.changed <- struct{}{}:
			default:
			}
		},
	}
	if change != nil {
		change(f.Watcher)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.cancel = cancel
	go func() { f.ended <- f.Run(ctx) }()
	return f
}

func (f *follower) stop(t *testing.T) {
	t.Helper()
	f.cancel()
	if err := <-f.ended; err != nil {
		t.Error(err)
	}
}

func (f *follower) await(t *testing.T) applied {
	t.Helper()
	select {
	case a := <-f.told:
		return a
	case err := <-f.ended:
		t.Fatalf("ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("no networks within a minute")
	}
	return applied{}
}

// until waits for a state of the watcher's.
func (f *follower) until(t *testing.T, what string, is func(nodenetworks.State) bool) {
	t.Helper()
	late := time.After(time.Minute)
	for !is(f.State()) {
		select {
		case <-f.changed:
		case <-late:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func absent(s nodenetworks.State) bool { return s.Absent }

func administrator(t *testing.T, plane *controlplane.ControlPlane) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	api, err := client.New(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func nodeNetworks(name, gateway string) *v1alpha1.NodeNetworks {
	return &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.NodeNetworksSpec{
		Gateway: gateway, Networks: []v1alpha1.NodeNetwork{{Name: "default", Topology: "Layer3"}},
	}}
}

func gatewayOf(a applied) string {
	if len(a.networks) == 0 {
		return ""
	}
	return strings.Join(a.networks[0].Gateways, ",")
}

// The object is followed as it comes, changes and goes, and nobody else's is.
func TestTheNodesOwnObjectIsFollowed(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	api := administrator(t, plane)
	f := follow(t, plane.Config, nil)
	f.until(t, "it says that there is no object", absent)
	for _, object := range []*v1alpha1.NodeNetworks{nodeNetworks("n2", "wrong"), nodeNetworks("n1", "br-ex")} {
		if err := api.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	if a := f.await(t); gatewayOf(a) != "br-ex" || !a.complete {
		t.Errorf("%+v", a)
	}
	if f.State().Absent {
		t.Error("it is still absent")
	}
	object := nodeNetworks("n1", "")
	if err := api.Patch(t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"gateway":"eth1"}}`))); err != nil {
		t.Fatal(err)
	}
	if a := f.await(t); gatewayOf(a) != "eth1" {
		t.Errorf("%+v", a)
	}
	// What it said stays.
	if err := api.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	f.until(t, "it says that the object is gone", absent)
	if len(f.told) > 0 {
		t.Errorf("an object that is gone changed something: %+v", <-f.told)
	}
	if err := api.Create(t.Context(), nodeNetworks("n1", "eth2")); err != nil {
		t.Fatal(err)
	}
	if a := f.await(t); gatewayOf(a) != "eth2" {
		t.Errorf("%+v", a)
	}
	f.stop(t)
}

// Agents that are upgraded before the CRDs go on with what they knew, and follow the
// manager as soon as it writes objects.
func TestAMissingKindIsWaitedFor(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{WithoutOwnCRDs: true})
	f := follow(t, plane.Config, nil)
	f.until(t, "it says that there is no object", absent)
	root, err := controlplane.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{Paths: []string{filepath.Join(root, "config", "crd", "bases")}}); err != nil {
		t.Fatal(err)
	}
	if err := administrator(t, plane).Create(t.Context(), nodeNetworks("n1", "br-ex")); err != nil {
		t.Fatal(err)
	}
	if a := f.await(t); gatewayOf(a) != "br-ex" || !a.complete {
		t.Errorf("%+v", a)
	}
	f.stop(t)
}

// An agent that starts before the API server can be reached says so and waits,
// and one that is to be done once ends with the cause.
func TestAnUnreachableServerIsWaitedFor(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	if err := administrator(t, plane).Create(t.Context(), nodeNetworks("n1", "br-ex")); err != nil {
		t.Fatal(err)
	}
	// Nobody listens here yet.
	entrance, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := entrance.Addr().String()
	_ = entrance.Close()
	elsewhere := rest.CopyConfig(plane.Config)
	elsewhere.Host = "https://" + address

	hasty := &nodenetworks.Watcher{Config: elsewhere, Settings: nodenetworks.Settings{Node: "n1"}, Log: logr.Discard(), Apply: func([]agent.Network, bool) {}}
	if err := hasty.Run(t.Context()); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("without patience it ended with %v", err)
	}
	f := follow(t, elsewhere, nil)
	select {
	case text := <-f.complaints:
		if !strings.Contains(text, "can't be read") || !strings.Contains(text, address) {
			t.Errorf("complained: %s", text)
		}
	case <-f.told:
		t.Fatal("networks were told without an API server")
	case err := <-f.ended:
		t.Fatalf("ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("no complaint within a minute")
	}
	entrance, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = entrance.Close() }()
	go forward(entrance, strings.Trim(strings.TrimPrefix(plane.Config.Host, "https:"), "/"))
	if a := f.await(t); len(a.networks) != 1 {
		t.Errorf("networks %v", a.networks)
	}
	f.stop(t)
}

// Without an object, what is done once needs flags.
func TestOnceWithoutTheManager(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	once := func(settings nodenetworks.Settings) (told []agent.Network, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := &nodenetworks.Watcher{Config: plane.Config, Settings: settings, Log: logr.Discard(), Apply: func(networks []agent.Network, _ bool) {
			told = networks
			cancel()
		}}
		err = w.Run(ctx)
		return told, err
	}
	if _, err := once(nodenetworks.Settings{Node: "n1"}); err == nil || !strings.Contains(err.Error(), "--gateway-interface") || apierrors.IsNotFound(err) {
		t.Errorf("it ended with %v", err)
	}
	told, err := once(nodenetworks.Settings{Node: "n1", PodsTold: true, ServicesTold: true, GatewayInterface: "br-ex"})
	if err != nil || len(told) != 1 || told[0].Name != "default" {
		t.Errorf("%+v, %v", told, err)
	}
}

// forward leads every connection to the server.
func forward(entrance net.Listener, server string) {
	for {
		in, err := entrance.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", server)
		if err != nil {
			_ = in.Close()
			continue
		}
		for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
			go func() {
				_, _ = io.Copy(way[0], way[1])
				_ = way[0].Close()
			}()
		}
	}
}
