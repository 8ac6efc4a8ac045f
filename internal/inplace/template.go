package inplace

import (
	"encoding/json"
	"reflect"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// template is a template that is to be changed.
type template struct {
	// wanted is what the file has, before what the cluster had, both without the mark.
	wanted, before *unstructured.Unstructured
	// interrupted is set if an earlier change was killed.
	interrupted bool
	// begun is set once the template's own tool had no conflict with others.
	begun bool
	// applier is the field manager that applies the template server-side, "" for none.
	applier string
	// held names the hold, while there is one.
	held client.ObjectKey
}

func newTemplate(wanted, before *unstructured.Unstructured) (*template, error) {
	t := &template{wanted: wanted.DeepCopy(), before: before, applier: applierOf(before)}
	object, err := typed(before)
	if err != nil {
		return nil, err
	}
	t.interrupted = IsMarked(&object.Spec.NodeSelector)
	if err := setMark(t.before, false); err != nil {
		return nil, err
	}
	return t, setMark(t.wanted, false)
}

// applierOf is the last one that applies any of the spec server-side.
func applierOf(o *unstructured.Unstructured) string {
	applier := ""
	for _, entry := range o.GetManagedFields() {
		if entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec json.RawMessage `json:"f:spec"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil && fields.Spec != nil {
			applier = entry.Manager
		}
	}
	return applier
}

func (t *template) key() client.ObjectKey { return client.ObjectKeyFromObject(t.wanted) }

func typed(o *unstructured.Unstructured) (*frrk8sv1beta1.FRRConfiguration, error) {
	var out frrk8sv1beta1.FRRConfiguration
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &out)
	return &out, err
}

// nodes selects those that the template applies to before or after; all, if these differ.
func (t *template) nodes() (*metav1.LabelSelector, error) {
	before, err := typed(t.before)
	if err != nil {
		return nil, err
	}
	wanted, err := typed(t.wanted)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(before.Spec.NodeSelector, wanted.Spec.NodeSelector) {
		return &metav1.LabelSelector{}, nil
	}
	return &wanted.Spec.NodeSelector, nil
}
