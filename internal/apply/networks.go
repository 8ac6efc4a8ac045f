package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Networks brings a node's NodeNetworks to what is desired, nil for none. live is
// what the cache shows of it, nil for nothing.
func (a *Applier) Networks(ctx context.Context, node string, desired *v1alpha1.NodeNetworks, live *LiveObject) (Result, error) {
	var result Result
	key := client.ObjectKey{Name: node}
	view := view{cached: map[client.ObjectKey]LiveObject{}, current: map[client.ObjectKey]LiveObject{}}
	if live != nil {
		view.cached[key], view.current[key] = *live, *live
	}
	a.networks.correct(node, view.current)
	before, exists := view.current[key]
	if desired == nil {
		if !exists || before.Deleting {
			return result, nil
		}
		o := &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: node}}
		err := client.IgnoreNotFound(a.client.Delete(ctx, o, client.Preconditions{UID: &before.UID, ResourceVersion: &before.ResourceVersion}))
		if err != nil {
			return result, fmt.Errorf("NodeNetworks %s: %w", node, err)
		}
		result.Deleted++
		a.networks.remember(node, key, write{at: a.now(), deleted: &before})
		return result, nil
	}
	hash := render.NetworksHash(desired)
	if exists {
		if same, altered := a.networks.same(before, hash); same {
			result.Unchanged++
			if altered {
				result.Altered = append(result.Altered, key)
			}
			return result, nil
		}
	}
	after, err := a.sendNetworks(ctx, desired, hash)
	if err != nil {
		return result, fmt.Errorf("NodeNetworks %s: %w", node, err)
	}
	result.Written++
	if a.networks.noteAnswer(key, hash, after.Hash) {
		result.Altered = append(result.Altered, key)
	}
	a.networks.remember(node, key, write{at: a.now(), shown: view.cached[key].UID, stored: &after})
	return result, nil
}

// sendNetworks writes the object and asks for no more of it than its metadata.
func (a *Applier) sendNetworks(ctx context.Context, desired *v1alpha1.NodeNetworks, hash uint64) (LiveObject, error) {
	text, err := json.Marshal(struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ObjectMeta         `json:"metadata"`
		Spec            v1alpha1.NodeNetworksSpec `json:"spec"`
	}{desired.TypeMeta, metav1.ObjectMeta{
		Name: desired.Name, Labels: desired.Labels,
		Annotations: map[string]string{annotationContent: strconv.FormatUint(hash, 16)},
	}, desired.Spec})
	if err != nil {
		return LiveObject{}, err
	}
	answer := NetworksMetadata()
	answer.Name = desired.Name
	err = a.client.Patch(ctx, answer, client.RawPatch(types.ApplyPatchType, text), client.FieldOwner(model.FieldManager), client.ForceOwnership)
	return LiveNetworks(answer), err
}

// NetworksMetadata is a NodeNetworks that stands for its metadata alone. That is all
// that is asked for: with 200 networks the whole object is 37 KB, and the manager would
// decode it twice for each write of its own, from the answer and from the watch.
func NetworksMetadata() *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeNetworks"))
	return o
}

// SeenNetworks and GoneNetworks are Seen and Gone for NodeNetworks.
func (a *Applier) SeenNetworks(o *metav1.PartialObjectMetadata) bool {
	return a.networks.saw(o.Name, LiveNetworks(o))
}

// GoneNetworks reports whether a deletion is just the echo of an own one.
func (a *Applier) GoneNetworks(o *metav1.PartialObjectMetadata) bool {
	return a.networks.sawGone(o.Name, LiveNetworks(o))
}

// annotationContent is render.NetworksHash of what was sent. It holds for what is
// stored for as long as the spec is ours: a NodeNetworks' spec is one field to
// server-side apply (structType=atomic), and whoever writes any of it becomes its owner.
const annotationContent = "ovnbgp.io/content"

// LiveNetworks reads a LiveObject from a NodeNetworks' metadata, whole or stripped. All
// of the kind are the operator's. The Hash is 0 if the content is not what was sent.
func LiveNetworks(o *metav1.PartialObjectMetadata) LiveObject {
	live := LiveObject{
		NamespacedName: client.ObjectKeyFromObject(o), UID: o.UID, ResourceVersion: o.ResourceVersion,
		Owned: true, Deleting: o.DeletionTimestamp != nil,
	}
	text, stripped := noted(o, annotationLiveHash)
	switch {
	case stripped:
	case ownsContent(o.ManagedFields) && o.Labels[model.LabelGenerated] == "true" && o.Labels[render.LabelManagedBy] == model.FieldManager:
		text = o.Annotations[annotationContent]
	default:
		return live
	}
	if hash, err := strconv.ParseUint(text, 16, 64); err == nil {
		live.Hash = hash
	}
	return live
}

// ownsContent reports whether the spec, and the note of what it was made of, are what the
// manager applied last: anybody else who writes either of them takes it over.
func ownsContent(entries []metav1.ManagedFieldsEntry) bool {
	for i := range entries {
		e := &entries[i]
		if e.Manager != model.FieldManager || e.Operation != metav1.ManagedFieldsOperationApply || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec     json.RawMessage `json:"f:spec"`
			Metadata struct {
				Annotations map[string]json.RawMessage `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) == nil && fields.Spec != nil && fields.Metadata.Annotations["f:"+annotationContent] != nil {
			return true
		}
	}
	return false
}

// StripNetworks is a cache transform for the metadata of NodeNetworks, of which only the
// hash is ever asked, and the addresses that the node was given.
func StripNetworks(o *metav1.PartialObjectMetadata) *metav1.PartialObjectMetadata {
	hash := LiveNetworks(o).Hash
	o.ManagedFields, o.Annotations = nil, only(o.Annotations, []string{model.AnnotationVTEPs})
	note(o, annotationLiveHash, strconv.FormatUint(hash, 16))
	return o
}
