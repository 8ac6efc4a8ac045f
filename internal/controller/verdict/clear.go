package verdict

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// Clear removes what the operator wrote into the object's status, and reports whether
// there was any. Applying nothing would do the same, but the API server turns the
// status into null then and refuses it.
func Clear(ctx context.Context, c client.Client, object *ovnv1.RouteAdvertisements) (bool, error) {
	left := slices.DeleteFunc(slices.Clone(object.Status.Conditions), func(condition metav1.Condition) bool {
		switch condition.Type {
		case status.Rendered, status.FRRConfigured:
			return true
		case status.Accepted:
			// OVN-Kubernetes' controller has one of its own.
			return owns(object, acceptedField)
		default:
			return false
		}
	})
	content := map[string]any{"conditions": left}
	if owns(object, "f:status") {
		content["status"] = nil
	}
	if len(left) == len(object.Status.Conditions) && len(content) == 1 {
		return false, nil
	}
	target, patch, err := patchOf(object, map[string]any{}, content)
	if err != nil {
		return false, err
	}
	err = c.Status().Patch(ctx, target, patch, client.FieldOwner(model.FieldManager))
	return err == nil, client.IgnoreNotFound(err)
}

// patchOf returns a patch of the very version of the object that was looked at,
// and what to apply it to, which is the next version afterwards.
func patchOf(object *ovnv1.RouteAdvertisements, metadata, status map[string]any) (*ovnv1.RouteAdvertisements, client.Patch, error) {
	metadata["resourceVersion"] = object.ResourceVersion
	content := map[string]any{"metadata": metadata}
	if status != nil {
		content["status"] = status
	}
	text, err := json.Marshal(content)
	target := &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: object.Name}}
	return target, client.RawPatch(types.MergePatchType, text), err
}

// Release takes away the conditions that are the operator's alone, and leaves
// Accepted and the text, which OVN-Kubernetes' nodes act on, without an owner:
// its own controller, which applies them without force, could not write them
// while they are this operator's.
func Release(ctx context.Context, c client.Client, object *ovnv1.RouteAdvertisements) (bool, error) {
	left := slices.DeleteFunc(slices.Clone(object.Status.Conditions), func(condition metav1.Condition) bool {
		return condition.Type == status.Rendered || condition.Type == status.FRRConfigured
	})
	changed := len(left) < len(object.Status.Conditions)
	if changed {
		next, patch, err := patchOf(object, map[string]any{}, map[string]any{"conditions": left})
		if err != nil {
			return false, err
		}
		if err := c.Status().Patch(ctx, next, patch, client.FieldOwner(model.FieldManager)); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		object = next
	}
	owners := slices.DeleteFunc(slices.Clone(object.ManagedFields), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Subresource == "status" && (entry.Manager == model.FieldManager || entry.Manager == model.FieldManagerObserver)
	})
	if len(owners) == len(object.ManagedFields) {
		return changed, nil
	}
	if len(owners) == 0 {
		// None at all would mean that they stay as they are.
		owners = []metav1.ManagedFieldsEntry{{}}
	}
	// By way of the status, the API server would not take them.
	next, patch, err := patchOf(object, map[string]any{"managedFields": owners}, nil)
	if err != nil {
		return false, err
	}
	err = c.Patch(ctx, next, patch, client.FieldOwner(model.FieldManager))
	return err == nil, client.IgnoreNotFound(err)
}

// acceptedField is how managed fields name the condition Accepted.
const acceptedField = `k:{"type":"Accepted"}`

// writtenSince reports whether another manager has applied a part of the status since
// a time, which the API server keeps in seconds.
func writtenSince(object metav1.Object, manager string, since time.Time) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Subresource == "status" && entry.Manager == manager && entry.Time != nil && entry.Time.After(since.Truncate(time.Second))
	})
}

// OwnsAccepted reports whether the operator applied the object's condition Accepted.
func OwnsAccepted(object metav1.Object) bool { return owns(object, acceptedField) }

// owns reports whether the operator applied the part of the status.
func owns(object metav1.Object, field string) bool {
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource != "status" || entry.FieldsV1 == nil || entry.Manager != model.FieldManager && entry.Manager != model.FieldManagerObserver {
			continue
		}
		var fields struct {
			Status map[string]json.RawMessage `json:"f:status"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		var conditions map[string]json.RawMessage
		_ = json.Unmarshal(fields.Status["f:conditions"], &conditions)
		if _, found := fields.Status[field]; found {
			return true
		}
		if _, found := conditions[field]; found {
			return true
		}
	}
	return false
}
