package optional

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Reader reads optional kinds only where they are served. For a missing kind
// it answers as the API server's mapper does (meta.IsNoMatchError), without
// asking the server each time.
type Reader struct {
	client.Reader
	Kinds  *Kinds
	Scheme *runtime.Scheme
}

// Get reads one object.
func (r Reader) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if err := r.check(object); err != nil {
		return err
	}
	return r.Reader.Get(ctx, key, object, options...)
}

// List reads objects of one kind.
func (r Reader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if err := r.check(list); err != nil {
		return err
	}
	return r.Reader.List(ctx, list, options...)
}

func (r Reader) check(object runtime.Object) error {
	gvk, err := apiutil.GVKForObject(object, r.Scheme)
	if err != nil {
		return err
	}
	gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	if r.Kinds.Served(gvk) {
		return nil
	}
	return noMatch(gvk)
}

func noMatch(gvk schema.GroupVersionKind) error {
	return &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}
