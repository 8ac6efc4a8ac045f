package inplace

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// mark is the requirement that keeps a template from all nodes.
var mark = metav1.LabelSelectorRequirement{Key: model.SelectorBeingChanged, Operator: metav1.LabelSelectorOpExists}

func isMark(r metav1.LabelSelectorRequirement) bool {
	return r.Key == mark.Key && r.Operator == mark.Operator
}

// IsMarked reports whether the node selector is that of a template that is being changed.
func IsMarked(s *metav1.LabelSelector) bool {
	return slices.ContainsFunc(s.MatchExpressions, isMark)
}

var expressions = []string{"spec", "nodeSelector", "matchExpressions"}

// setMark marks the template, or takes the mark away.
func setMark(o *unstructured.Unstructured, marked bool) error {
	list, _, err := unstructured.NestedSlice(o.Object, expressions...)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(e any) bool {
		fields, _ := e.(map[string]any)
		return fields["key"] == mark.Key && fields["operator"] == string(mark.Operator)
	})
	if marked {
		list = append(list, map[string]any{"key": mark.Key, "operator": string(mark.Operator)})
	}
	if len(list) == 0 {
		unstructured.RemoveNestedField(o.Object, expressions...)
		return nil
	}
	return unstructured.SetNestedSlice(o.Object, list, expressions...)
}
