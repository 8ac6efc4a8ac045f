package inplace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// standing is whether a template is on its nodes.
type standing bool

const (
	plain  standing = false
	marked standing = true
)

func (c *Changer) read(ctx context.Context, wanted *unstructured.Unstructured) (*template, error) {
	before := &unstructured.Unstructured{}
	before.SetGroupVersionKind(wanted.GroupVersionKind())
	err := c.Client.Get(ctx, client.ObjectKeyFromObject(wanted), before)
	if apierrors.IsNotFound(err) {
		return nil, errors.New("it does not exist: create it with kubectl apply")
	}
	if err != nil {
		return nil, err
	}
	return newTemplate(wanted, before)
}

// put writes a version of the template as the tool that wrote it so far would, and
// reports whether that changed anything: fields must not change hands, or that tool
// would be told of a conflict some day.
func (c *Changer) put(ctx context.Context, t *template, version *unstructured.Unstructured, where standing) (changed bool, err error) {
	if t.applier == "" || version == t.before {
		return c.update(ctx, t, version, where)
	}
	o := version.DeepCopy()
	if err := setMark(o, bool(where)); err != nil {
		return false, err
	}
	options := []client.ApplyOption{client.FieldOwner(t.applier)}
	if t.begun {
		// The node selector may be somebody else's as well, as long as it is the same.
		options = append(options, client.ForceOwnership)
	}
	if err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), options...); err != nil {
		return false, err
	}
	return o.GetResourceVersion() != t.before.GetResourceVersion(), nil
}

func (c *Changer) update(ctx context.Context, t *template, version *unstructured.Unstructured, where standing) (changed bool, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(version.GroupVersionKind())
		if err := c.Client.Get(ctx, t.key(), live); err != nil {
			return err
		}
		was := live.DeepCopy()
		if err := t.onto(live, version); err != nil {
			return err
		}
		if err := setMark(live, bool(where)); err != nil {
			return err
		}
		if apiequality.Semantic.DeepEqual(was.Object, live.Object) {
			return nil
		}
		if err := c.Client.Update(ctx, live, client.FieldOwner(writer(was))); err != nil {
			return err
		}
		changed = live.GetResourceVersion() != was.GetResourceVersion()
		return nil
	})
	return changed, err
}

// writer is who wrote the object so far: kubectl apply, or this command.
func writer(live *unstructured.Unstructured) string {
	const kubectl = "kubectl-client-side-apply"
	if slices.ContainsFunc(live.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == kubectl }) {
		return kubectl
	}
	return fieldManager
}

// onto puts a version into the object of the cluster, as kubectl apply does for an
// object that it doesn't apply server-side: the spec as a whole, and of labels and
// annotations what the file has instead of what it had when it was last applied.
func (t *template) onto(live, version *unstructured.Unstructured) error {
	live.Object["spec"] = runtime.DeepCopyJSONValue(version.Object["spec"])
	if version == t.before {
		live.SetLabels(version.GetLabels())
		live.SetAnnotations(version.GetAnnotations())
		return nil
	}
	last := &unstructured.Unstructured{Object: map[string]any{}}
	text, applied := live.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if applied {
		if err := json.Unmarshal([]byte(text), &last.Object); err != nil {
			return fmt.Errorf("its annotation %s can't be read: %w", corev1.LastAppliedConfigAnnotation, err)
		}
	}
	annotations := replaced(live.GetAnnotations(), last.GetAnnotations(), version.GetAnnotations())
	if applied {
		written, err := runtime.Encode(unstructured.UnstructuredJSONScheme, version)
		if err != nil {
			return err
		}
		annotations[corev1.LastAppliedConfigAnnotation] = string(written)
	}
	live.SetAnnotations(annotations)
	live.SetLabels(replaced(live.GetLabels(), last.GetLabels(), version.GetLabels()))
	return nil
}

func replaced(live, last, wanted map[string]string) map[string]string {
	out := maps.Clone(live)
	if out == nil {
		out = map[string]string{}
	}
	maps.DeleteFunc(out, func(key, _ string) bool { _, was := last[key]; return was })
	maps.Copy(out, wanted)
	return out
}
