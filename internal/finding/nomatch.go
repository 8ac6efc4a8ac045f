package finding

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/spelling"
)

// NoNetworkSelector is why an object without network selectors selects none.
func NoNetworkSelector() string {
	return "spec.networkSelectors selects no network: add DefaultNetwork or ClusterUserDefinedNetworks"
}

// Candidate is an object that a selector could have matched.
type Candidate struct {
	Name   string
	Labels map[string]string
}

// NoMatch says that a selector matches none of the candidates, and
// which of them it nearly matches.
func NoMatch(field, kind string, selector model.Selector, candidates []Candidate) string {
	if len(candidates) == 0 {
		return fmt.Sprintf("%s matches nothing, because there are no %s yet", field, kind)
	}
	candidates = slices.SortedFunc(slices.Values(candidates), func(a, b Candidate) int { return strings.Compare(a.Name, b.Name) })
	parts := []string{fmt.Sprintf("%s matches none of %d %s", field, len(candidates), kind)}
	var misses []string
	for _, c := range candidates {
		if hint := nearMiss(selector, c); hint != "" {
			misses = append(misses, hint)
		}
	}
	if len(misses) > maxNames {
		misses = append(misses[:maxNames], "and "+phrase.Number(len(misses)-maxNames)+" more like these")
	}
	parts = append(parts, misses...)
	if hint := misspelled(selector, candidates); hint != "" && !strings.Contains(strings.Join(misses, ""), "did you mean") {
		parts = append(parts, hint)
	}
	return strings.Join(parts, "; ")
}

// nearMiss says what a candidate lacks if that is one requirement only.
func nearMiss(selector model.Selector, c Candidate) string {
	missing := -1
	for i := range selector {
		if selector[i].Matches(c.Labels) {
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
	value, found := c.Labels[r.Key]
	switch r.Operator {
	case model.SelectorIn:
		want := fmt.Sprintf("%s=%s", r.Key, strings.Join(r.Values, " or "))
		if found {
			return fmt.Sprintf("%q would match if it had the label %s instead of %s=%s", c.Name, want, r.Key, value)
		}
		return fmt.Sprintf("%q would match if it had the label %s%s", c.Name, want, misspelledKey(r, c))
	case model.SelectorExists:
		return fmt.Sprintf("%q would match if it had the label %s%s", c.Name, r.Key, misspelledKey(r, c))
	default:
		return fmt.Sprintf("%q would match without its label %s=%s", c.Name, r.Key, value)
	}
}

// misspelledKey finds a label of the candidate whose key differs by a typo.
func misspelledKey(r model.Requirement, c Candidate) string {
	key := spelling.Closest(r.Key, slices.Sorted(maps.Keys(c.Labels)), spelling.MaxEdits)
	if key == "" {
		return ""
	}
	return fmt.Sprintf(" (it has %s=%s: did you mean the key %q or %q?)", key, c.Labels[key], r.Key, key)
}

// misspelled finds label keys, values and names that differ from what the
// selector asks for by a typo.
func misspelled(selector model.Selector, candidates []Candidate) string {
	keys := map[string]string{}
	for _, c := range candidates {
		for key := range c.Labels {
			if keys[key] == "" {
				keys[key] = c.Name
			}
		}
	}
	for _, r := range selector {
		if r.Operator != model.SelectorIn && r.Operator != model.SelectorExists {
			continue
		}
		if keys[r.Key] == "" {
			if key := spelling.Closest(r.Key, slices.Sorted(maps.Keys(keys)), spelling.MaxEdits); key != "" {
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

func misspelledValue(r model.Requirement, candidates []Candidate) string {
	owners := map[string]string{}
	for _, c := range candidates {
		if value := c.Labels[r.Key]; value != "" && owners[value] == "" {
			owners[value] = c.Name
		}
	}
	for _, want := range r.Values {
		value := spelling.Closest(want, slices.Sorted(maps.Keys(owners)), spelling.MaxEdits)
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
