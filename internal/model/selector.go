package model

import "slices"

// SelectorOperator is the relation a Requirement asks for, as in Kubernetes'
// label selectors.
type SelectorOperator string

// The operators of Kubernetes' label selectors.
const (
	SelectorIn           SelectorOperator = "In"
	SelectorNotIn        SelectorOperator = "NotIn"
	SelectorExists       SelectorOperator = "Exists"
	SelectorDoesNotExist SelectorOperator = "DoesNotExist"
)

// Requirement is one term of a Selector.
type Requirement struct {
	Key      string
	Operator SelectorOperator
	// Values is sorted; empty for Exists and DoesNotExist.
	Values []string
}

// Selector is a label selector as a plain value: all requirements must hold.
// Without requirements it matches everything, as an empty LabelSelector does.
type Selector []Requirement

// Empty reports whether the selector matches everything.
func (s Selector) Empty() bool { return len(s) == 0 }

// Matches reports whether labels satisfy every requirement.
func (s Selector) Matches(labels map[string]string) bool {
	for i := range s {
		if !s[i].Matches(labels) {
			return false
		}
	}
	return true
}

// Matches reports whether labels satisfy this one requirement. NotIn also
// holds where the key is absent, as in Kubernetes.
func (r Requirement) Matches(labels map[string]string) bool {
	value, found := labels[r.Key]
	switch r.Operator {
	case SelectorIn:
		return found && slices.Contains(r.Values, value)
	case SelectorNotIn:
		return !found || !slices.Contains(r.Values, value)
	case SelectorExists:
		return found
	case SelectorDoesNotExist:
		return !found
	default:
		return false
	}
}
