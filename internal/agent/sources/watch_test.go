package sources_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/sources"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// What the first reading needs is waited for, instead of reading too early,
// complaining, and reading again some time later.
func TestTheFirstReadingSucceeds(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	api, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		told, complaints := make(chan []agent.Network, 16), make(chan string, 16)
		w := &sources.Watcher{
			Config: plane.Config, Settings: sources.Settings{Node: "n1"},
			Log:   funcr.New(func(_, text string) { complaints <- text }, funcr.Options{}),
			Apply: func(networks []agent.Network, _ bool) { told <- networks },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		select {
		case networks := <-told:
			if len(networks) != 1 || networks[0].Name != "default" {
				t.Errorf("networks %v", networks)
			}
		case text := <-complaints:
			t.Errorf("complained: %s", strings.TrimSpace(text))
		case err := <-ended:
			t.Fatalf("ended: %v", err)
		case <-time.After(time.Minute):
			t.Fatal("no networks within a minute")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}
