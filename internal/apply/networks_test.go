package apply_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// storedNetworks is a NodeNetworks as the API server has it after the manager's last write.
func storedNetworks() *metav1.PartialObjectMetadata {
	o := apply.NetworksMetadata()
	o.Name, o.UID, o.ResourceVersion = "node-1", "u", "7"
	o.Labels = map[string]string{model.LabelGenerated: "true", render.LabelManagedBy: model.FieldManager}
	o.Annotations = map[string]string{"ovnbgp.io/content": "2a", model.AnnotationVTEPs: "{}"}
	o.ManagedFields = []metav1.ManagedFieldsEntry{owner(model.FieldManager, metav1.ManagedFieldsOperationApply,
		`{"f:metadata":{"f:annotations":{"f:ovnbgp.io/content":{}},"f:labels":{}},"f:spec":{}}`)}
	return o
}

func owner(manager string, operation metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
}

// A hash that somebody else's content could have would leave that content in place.
func TestContentCountsWhileTheSpecIsOurs(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*metav1.PartialObjectMetadata)
		want   uint64
	}{
		"as written":              {func(*metav1.PartialObjectMetadata) {}, 42},
		"from an earlier version": {func(o *metav1.PartialObjectMetadata) { o.Annotations = nil }, 0},
		"no number":               {func(o *metav1.PartialObjectMetadata) { o.Annotations["ovnbgp.io/content"] = "blue" }, 0},
		"another's label":         {func(o *metav1.PartialObjectMetadata) { o.Labels[model.LabelGenerated] = "no" }, 0},
		"another has the spec": {func(o *metav1.PartialObjectMetadata) {
			o.ManagedFields[0] = owner(model.FieldManager, metav1.ManagedFieldsOperationApply, `{"f:metadata":{"f:labels":{}}}`)
			o.ManagedFields = append(o.ManagedFields, owner("kubectl-edit", metav1.ManagedFieldsOperationUpdate, `{"f:spec":{}}`))
		}, 0},
		"another has the note": {func(o *metav1.PartialObjectMetadata) {
			o.ManagedFields[0] = owner(model.FieldManager, metav1.ManagedFieldsOperationApply, `{"f:metadata":{"f:labels":{}},"f:spec":{}}`)
			o.ManagedFields = append(o.ManagedFields, owner("kubectl-annotate", metav1.ManagedFieldsOperationUpdate, `{"f:metadata":{"f:annotations":{"f:ovnbgp.io/content":{}}}}`))
		}, 0},
		"a webhook in our name": {func(o *metav1.PartialObjectMetadata) {
			o.ManagedFields[0] = owner(model.FieldManager, metav1.ManagedFieldsOperationUpdate, `{"f:spec":{}}`)
		}, 0},
		"another owns it, too": {func(o *metav1.PartialObjectMetadata) {
			o.ManagedFields = append(o.ManagedFields, owner("argocd", metav1.ManagedFieldsOperationApply, `{"f:spec":{}}`))
		}, 42},
		"a forged note": {func(o *metav1.PartialObjectMetadata) {
			o.ManagedFields, o.Annotations["ovnbgp.io/live-hash"] = nil, "6/2a"
		}, 0},
	} {
		o := storedNetworks()
		test.change(o)
		if got := apply.LiveNetworks(o).Hash; got != test.want {
			t.Errorf("%s: %#x, not %#x", name, got, test.want)
		}
		stripped := apply.StripNetworks(o.DeepCopy())
		if got := apply.LiveNetworks(stripped).Hash; got != test.want {
			t.Errorf("%s, stripped: %#x, not %#x", name, got, test.want)
		}
		if stripped.Annotations[model.AnnotationVTEPs] != o.Annotations[model.AnnotationVTEPs] {
			t.Errorf("%s: the node's addresses are lost", name)
		}
		if len(stripped.ManagedFields) > 0 {
			t.Errorf("%s: managed fields are kept", name)
		}
	}
}
