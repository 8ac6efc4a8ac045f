package optional

import (
	"context"
	"errors"
	"testing"

	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mapper is a RESTMapper whose answer can change, as a server's does.
type mapper struct {
	meta.RESTMapper
	answer error
}

func (m *mapper) RESTMapping(schema.GroupKind, ...string) (*meta.RESTMapping, error) {
	return &meta.RESTMapping{}, m.answer
}

// reader counts the reads that reach the cache.
type reader struct {
	client.Reader
	reads int
}

func (r *reader) List(context.Context, client.ObjectList, ...client.ListOption) error {
	r.reads++
	return nil
}

func TestKindsAppear(t *testing.T) {
	gvk := corev1.SchemeGroupVersion.WithKind("ConfigMap")
	server := &mapper{answer: noMatch(gvk)}
	kinds := NewKinds(server, 0, testr.New(t), gvk)
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	cache := &reader{}
	reads := Reader{Reader: cache, Kinds: kinds, Scheme: scheme}

	appears, err := kinds.appears(gvk)
	if err != nil {
		t.Fatal(err)
	}
	kinds.look()
	if err := reads.List(t.Context(), &corev1.ConfigMapList{}); !meta.IsNoMatchError(err) || cache.reads != 0 {
		t.Errorf("a missing kind: %v, %d reads of the cache", err, cache.reads)
	}
	if err := reads.List(t.Context(), &corev1.NodeList{}); err != nil || cache.reads != 1 {
		t.Errorf("an ordinary kind: %v, %d reads of the cache", err, cache.reads)
	}

	server.answer = errors.New("the server is down")
	kinds.look()
	if kinds.Served(gvk) {
		t.Error("a failed look counts as seen")
	}

	server.answer = nil
	kinds.look()
	kinds.look()
	select {
	case <-appears:
	default:
		t.Error("nobody was told that the kind has appeared")
	}
	if err := reads.List(t.Context(), &corev1.ConfigMapList{}); err != nil || cache.reads != 2 {
		t.Errorf("the kind that appeared: %v, %d reads of the cache", err, cache.reads)
	}
	if _, err := kinds.appears(corev1.SchemeGroupVersion.WithKind("Pod")); err == nil {
		t.Error("a kind that was not declared can be watched as optional")
	}
}
