package nodenetworks_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// An agent that starts while the API server is away works on what it knew last,
// unless that can't be believed.
func TestWhatWasKnownLastIsUsed(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	api := administrator(t, plane)
	if err := api.Create(t.Context(), nodeNetworks("n1", "br-ex")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "known.json")
	away := rest.CopyConfig(plane.Config)
	away.Host = "https://127.0.0.1:1"
	run := func(config *rest.Config) *follower {
		return follow(t, config, func(w *nodenetworks.Watcher) {
			w.Known = &lastknown.File{Path: path, Node: "n1", Kind: nodenetworks.KnownKind}
		})
	}
	f := run(plane.Config)
	before := f.await(t)
	f.stop(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("nothing is kept: %v", err)
	}

	f = run(away)
	after := f.await(t)
	f.stop(t)
	if after.complete {
		t.Error("networks that came meanwhile would be taken for gone")
	}
	if len(after.networks) != 1 || gatewayOf(after) != "br-ex" || len(after.networks[0].Protected) != len(before.networks[0].Protected) {
		t.Errorf("%+v, not %+v", after.networks, before.networks)
	}

	// A manager that is gone takes nothing away, and neither does an older one, that
	// writes no such objects.
	if err := api.Delete(t.Context(), nodeNetworks("n1", "")); err != nil {
		t.Fatal(err)
	}
	f = run(plane.Config)
	if a := f.await(t); gatewayOf(a) != "br-ex" || a.complete {
		t.Errorf("%+v", a)
	}
	f.until(t, "it says that the object is absent", absent)
	f.stop(t)

	for name, content := range map[string][]byte{
		"damaged":                         text[:len(text)-7],
		"of an agent before NodeNetworks": []byte(`{"format":1,"kind":"View","node":"n1","content":{}}`),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f = run(away)
		select {
		case a := <-f.told:
			t.Errorf("%s: the file was believed: %+v", name, a)
		case <-f.complaints:
		case <-time.After(time.Minute):
			t.Errorf("%s: nothing was said", name)
		}
		f.stop(t)
	}

	// The API server has the last word.
	if err := api.Create(t.Context(), nodeNetworks("n1", "br-ex"), &client.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f = run(plane.Config)
	f.await(t)
	f.stop(t)
	if now, err := os.ReadFile(path); err != nil || len(now) < len(text) {
		t.Errorf("the damaged file stays: %v", err)
	}
}
