package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// managedSource is the source of findings with the managed object.
const managedSource = "managed"

// keepManaged writes or deletes the RouteAdvertisements object of networks
// with managed routing, which OVN-Kubernetes' nodes look for.
func (r *Reconciler) keepManaged(ctx context.Context, objects *snapshot.Objects) error {
	if r.ObserveOnly {
		return nil
	}
	desired := snapshot.ManagedRouteAdvertisements(objects, r.Settings)
	stored := storedManaged(objects)
	ours := stored != nil && stored.Labels[model.LabelManaged] == "true"

	var err error
	switch {
	case desired == nil && !ours:
	case desired == nil:
		err = client.IgnoreNotFound(r.Writer.Delete(ctx, &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: stored.Name}},
			client.Preconditions{UID: &stored.UID, ResourceVersion: &stored.ResourceVersion}))
	case stored != nil && !ours:
		// The plan reports it.
	case stored == nil || !equality.Semantic.DeepEqual(stored.Spec, desired.Spec):
		err = r.applyManaged(ctx, desired)
	}
	if err == nil || apierrors.IsConflict(err) {
		r.Findings.Clear(managedSource)
		return err
	}
	r.Findings.Set(managedSource, []string{model.ManagedName}, finding.ManagedNotWritten(model.ManagedName, err))
	return err
}

func storedManaged(objects *snapshot.Objects) *ovnv1.RouteAdvertisements {
	for i := range objects.RouteAdvertisements {
		if ra := &objects.RouteAdvertisements[i]; ra.Name == model.ManagedName {
			return ra
		}
	}
	return nil
}

// applyManaged applies labels and spec; the status has a writer of its own.
func (r *Reconciler) applyManaged(ctx context.Context, desired *ovnv1.RouteAdvertisements) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(desired)
	if err != nil {
		return err
	}
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return r.Writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content}),
		client.FieldOwner(model.FieldManager), client.ForceOwnership)
}
