package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// selector converts a label selector. The API server takes any string for the
// parts of a CRD's selectors, so they are checked here. field is for messages.
func selector(s *metav1.LabelSelector, field string) (model.Selector, *model.Problem) {
	if len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
		return nil, nil
	}
	out := make(model.Selector, 0, len(s.MatchLabels)+len(s.MatchExpressions))
	for key, value := range s.MatchLabels {
		out = append(out, model.Requirement{Key: key, Operator: model.SelectorIn, Values: []string{value}})
	}
	for i := range s.MatchExpressions {
		e := &s.MatchExpressions[i]
		values := slices.Clone(e.Values)
		slices.Sort(values)
		out = append(out, model.Requirement{Key: e.Key, Operator: model.SelectorOperator(e.Operator), Values: slices.Compact(values)})
	}
	slices.SortFunc(out, func(a, b model.Requirement) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Operator, b.Operator), slices.Compare(a.Values, b.Values))
	})
	for i := range out {
		if fault := requirementFault(&out[i]); fault != "" {
			return nil, finding.InvalidSelector(field, fault)
		}
	}
	return out, nil
}

// requirementFault says what is wrong with the requirement and what to do.
func requirementFault(r *model.Requirement) string {
	if faults := validation.IsQualifiedName(r.Key); len(faults) > 0 {
		return fmt.Sprintf("%q is no label key (%s): correct it", r.Key, faults[0])
	}
	switch r.Operator {
	case model.SelectorIn, model.SelectorNotIn:
		if len(r.Values) == 0 {
			return fmt.Sprintf("operator %s for key %q needs values: add some, or use Exists or DoesNotExist", r.Operator, r.Key)
		}
	case model.SelectorExists, model.SelectorDoesNotExist:
		if len(r.Values) > 0 {
			return fmt.Sprintf("operator %s for key %q takes no values: remove %s, or use In or NotIn", r.Operator, r.Key, strings.Join(r.Values, ", "))
		}
	default:
		return fmt.Sprintf("operator %q for key %q is unknown: use In, NotIn, Exists or DoesNotExist", r.Operator, r.Key)
	}
	for _, value := range r.Values {
		if faults := validation.IsValidLabelValue(value); len(faults) > 0 {
			return fmt.Sprintf("%q for key %q is no label value (%s): correct it", value, r.Key, faults[0])
		}
	}
	return ""
}
