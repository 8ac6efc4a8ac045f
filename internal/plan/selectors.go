package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

const (
	// maxNearMisses is how many near misses a message names.
	maxNearMisses = 3
	// maxEdits is how far a label may be from what was meant.
	maxEdits = 2
)

// candidate is an object that a selector could have matched.
type candidate struct {
	name   string
	labels map[string]string
}

// explainNoMatch says that a selector matches none of the candidates, and
// which of them it nearly matches.
func explainNoMatch(field, kind string, selector model.Selector, candidates []candidate) string {
	if len(candidates) == 0 {
		return fmt.Sprintf("%s matches nothing, because there are no %s yet", field, kind)
	}
	candidates = slices.SortedFunc(slices.Values(candidates), func(a, b candidate) int { return strings.Compare(a.name, b.name) })
	parts := []string{fmt.Sprintf("%s matches none of %d %s", field, len(candidates), kind)}
	var misses []string
	for _, c := range candidates {
		if hint := nearMiss(selector, c); hint != "" {
			misses = append(misses, hint)
		}
	}
	if len(misses) > maxNearMisses {
		misses = append(misses[:maxNearMisses], fmt.Sprintf("and %d more like these", len(misses)-maxNearMisses))
	}
	parts = append(parts, misses...)
	if hint := misspelled(selector, candidates); hint != "" && !strings.Contains(strings.Join(misses, ""), "did you mean") {
		parts = append(parts, hint)
	}
	return strings.Join(parts, "; ")
}

// nearMiss says what a candidate lacks if that is one requirement only.
func nearMiss(selector model.Selector, c candidate) string {
	missing := -1
	for i := range selector {
		if selector[i].Matches(c.labels) {
			continue
		}
		if missing >= 0 {
			return ""
		}
		missing = i
	}
	if missing < 0 {
		return ""
	}
	r := selector[missing]
	if r.Key == model.LabelName {
		return ""
	}
	value, found := c.labels[r.Key]
	switch r.Operator {
	case model.SelectorIn:
		want := fmt.Sprintf("%s=%s", r.Key, strings.Join(r.Values, " or "))
		if found {
			return fmt.Sprintf("%q would match if it had the label %s instead of %s=%s", c.name, want, r.Key, value)
		}
		return fmt.Sprintf("%q would match if it had the label %s%s", c.name, want, misspelledKey(r, c))
	case model.SelectorExists:
		return fmt.Sprintf("%q would match if it had the label %s%s", c.name, r.Key, misspelledKey(r, c))
	default:
		return fmt.Sprintf("%q would match without its label %s=%s", c.name, r.Key, value)
	}
}

// misspelledKey tells of a label of the candidate whose key differs by a typo.
func misspelledKey(r model.Requirement, c candidate) string {
	key := spelling.Closest(r.Key, slices.Sorted(maps.Keys(c.labels)), maxEdits)
	if key == "" {
		return ""
	}
	return fmt.Sprintf(" (it has %s=%s: did you mean the key %q or %q?)", key, c.labels[key], r.Key, key)
}

// misspelled finds label keys, values and names that differ from what the
// selector asks for by a typo.
func misspelled(selector model.Selector, candidates []candidate) string {
	keys := map[string]string{}
	for _, c := range candidates {
		for key := range c.labels {
			if keys[key] == "" {
				keys[key] = c.name
			}
		}
	}
	for _, r := range selector {
		if r.Operator != model.SelectorIn && r.Operator != model.SelectorExists {
			continue
		}
		if keys[r.Key] == "" {
			if key := spelling.Closest(r.Key, slices.Sorted(maps.Keys(keys)), maxEdits); key != "" {
				return fmt.Sprintf("did you mean the label key %q, as on %q, instead of %q?", key, keys[key], r.Key)
			}
			continue
		}
		if hint := misspelledValue(r, candidates); hint != "" {
			return hint
		}
	}
	return ""
}

func misspelledValue(r model.Requirement, candidates []candidate) string {
	owners := map[string]string{}
	for _, c := range candidates {
		if value := c.labels[r.Key]; value != "" && owners[value] == "" {
			owners[value] = c.name
		}
	}
	for _, want := range r.Values {
		value := spelling.Closest(want, slices.Sorted(maps.Keys(owners)), maxEdits)
		if value == "" || value == want {
			continue
		}
		if r.Key == model.LabelName {
			return fmt.Sprintf("did you mean the name %q instead of %q?", value, want)
		}
		return fmt.Sprintf("did you mean %s=%s, as on %q?", r.Key, value, owners[value])
	}
	return ""
}
