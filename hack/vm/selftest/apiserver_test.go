package selftest

import (
	"bytes"
	"context"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// watches is more than a lab of ten nodes has open at once.
const watches = 100

// TestAPIServerIsReached holds many watches open, each of which has to see an
// object that is made through another connection.
func TestAPIServerIsReached(t *testing.T) {
	clients := apiServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i := range watches {
		// A clientset of its own each, so that they share no connection.
		watcher, err := apiServer(t).CoreV1().ConfigMaps("default").Watch(ctx, metav1.ListOptions{LabelSelector: "made-by=selftest"})
		if err != nil {
			t.Fatalf("watch %d: %v", i, err)
		}
		all.Go(func() {
			defer watcher.Stop()
			for event := range watcher.ResultChan() {
				if made, ok := event.Object.(*corev1.ConfigMap); ok && event.Type == watch.Added && made.Data["a"] == "b" {
					return
				}
			}
			t.Errorf("watch %d ended without the object", i)
		})
	}
	began := time.Now()
	create(ctx, t, clients, "selftest", map[string]string{"a": "b"})
	all.Wait()
	t.Logf("%d watches saw the object after %s", watches, time.Since(began))
}

func TestLargeObjectsPass(t *testing.T) {
	clients := apiServer(t)
	ctx := t.Context()
	text := string(bytes.Repeat([]byte("0123456789abcdef"), 50_000))
	create(ctx, t, clients, "large", map[string]string{"text": text})
	read, err := clients.CoreV1().ConfigMaps("default").Get(ctx, "large", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if read.Data["text"] != text {
		t.Errorf("%d bytes came back changed", len(text))
	}
}

func BenchmarkAPIRoundTrip(b *testing.B) {
	clients := apiServer(b)
	for b.Loop() {
		if _, err := clients.CoreV1().Namespaces().Get(b.Context(), "default", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAPIDownload reads objects of 0.8 MB.
func BenchmarkAPIDownload(b *testing.B) {
	clients := apiServer(b)
	text := string(bytes.Repeat([]byte("0123456789abcdef"), 50_000))
	create(b.Context(), b, clients, "download", map[string]string{"text": text})
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := clients.CoreV1().ConfigMaps("default").Get(b.Context(), "download", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func create(ctx context.Context, t testing.TB, clients kubernetes.Interface, name string, text map[string]string) {
	t.Helper()
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made-by": "selftest"}},
		Data:       text,
	}
	if _, err := clients.CoreV1().ConfigMaps("default").Create(ctx, object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = clients.CoreV1().ConfigMaps("default").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

func apiServer(t testing.TB) kubernetes.Interface {
	t.Helper()
	inside(t)
	path := os.Getenv("OVNBGP_LAB_KUBECONFIG")
	if path == "" {
		t.Skip("SKIPPED, NOT PASSED: no API server; run with `vm run -controlplane`")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	// Clients that dial by themselves share no connection.
	config.Dial = (&net.Dialer{}).DialContext
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return clients
}
