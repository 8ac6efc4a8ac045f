package sources_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/sources"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// applied is what a watcher told.
type applied struct {
	networks []agent.Network
	complete bool
}

// An agent that starts while the API server is away works on what it knew last,
// unless that can't be believed.
func TestWhatWasKnownLastIsUsed(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	api, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Annotations: map[string]string{
		"k8s.ovn.org/l3-gateway-config": `{"default":{"mode":"shared","bridge-id":"br-ex","ip-addresses":["172.18.0.3/16"]}}`}}}
	if _, err := api.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "known.json")
	away := rest.CopyConfig(plane.Config)
	away.Host = "https://127.0.0.1:1"
	settings := sources.Settings{Node: "n1", Pods: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}
	run := func(config *rest.Config) (told chan applied, stop func()) {
		told = make(chan applied, 16)
		w := &sources.Watcher{
			Config: config, Settings: settings, Patient: true, Log: testr.New(t),
			Apply: func(networks []agent.Network, complete bool) { told <- applied{networks, complete} },
			Known: &lastknown.File{Path: path, Node: "n1", Kind: sources.KnownKind},
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		return told, func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	await := func(told chan applied) applied {
		t.Helper()
		select {
		case a := <-told:
			return a
		case <-time.After(time.Minute):
			t.Fatal("no networks within a minute")
			return applied{}
		}
	}

	told, stop := run(plane.Config)
	before := await(told)
	stop()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("nothing is kept: %v", err)
	}

	told, stop = run(away)
	after := await(told)
	stop()
	if after.complete {
		t.Error("networks that came meanwhile would be taken for gone")
	}
	if len(after.networks) != 1 || after.networks[0].Gateways[0] != "br-ex" || len(after.networks[0].Protected) != len(before.networks[0].Protected) {
		t.Errorf("%+v, not %+v", after.networks, before.networks)
	}

	if err := os.WriteFile(path, text[:len(text)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	told, stop = run(away)
	select {
	case a := <-told:
		t.Errorf("a damaged file was believed: %+v", a)
	case <-time.After(3 * time.Second):
	}
	stop()

	// The API server has the last word.
	told, stop = run(plane.Config)
	await(told)
	stop()
	if now, err := os.ReadFile(path); err != nil || len(now) < len(text) {
		t.Errorf("the damaged file stays: %v", err)
	}
}
