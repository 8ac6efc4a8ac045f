package sources_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

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

// An agent that starts before the API server can be reached says so and waits,
// and one that is to be done once ends with the cause.
func TestAnUnreachableServerIsWaitedFor(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	api, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{}); err != nil {
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

	if err := (&sources.Watcher{Config: elsewhere, Settings: sources.Settings{Node: "n1"}, Log: logr.Discard()}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("without patience it ended with %v", err)
	}
	told, complaints := make(chan []agent.Network, 16), make(chan string, 16)
	w := &sources.Watcher{
		Config: elsewhere, Settings: sources.Settings{Node: "n1"}, Patient: true,
		Log:   funcr.New(func(_, text string) { complaints <- text }, funcr.Options{}),
		Apply: func(networks []agent.Network, _ bool) { told <- networks },
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run(t.Context()) }()
	select {
	case text := <-complaints:
		if !strings.Contains(text, "can't be reached") || !strings.Contains(text, address) {
			t.Errorf("complained: %s", text)
		}
	case <-told:
		t.Fatal("networks were told without an API server")
	case err := <-ended:
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
	select {
	case networks := <-told:
		if len(networks) != 1 {
			t.Errorf("networks %v", networks)
		}
	case err := <-ended:
		t.Fatalf("ended: %v", err)
	case <-time.After(time.Minute):
		for len(complaints) > 0 {
			t.Log(<-complaints)
		}
		t.Fatal("no networks within a minute")
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
