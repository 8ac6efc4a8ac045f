package finding

import (
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestExplainNoMatch(t *testing.T) {
	in := func(key string, values ...string) model.Requirement {
		return model.Requirement{Key: key, Operator: model.SelectorIn, Values: values}
	}
	for _, test := range []struct {
		name       string
		selector   model.Selector
		candidates []Candidate
		want       string
	}{
		{"nothing there", model.Selector{in("fabric", "tor")}, nil,
			"sel matches nothing, because there are no FRRConfigurations yet"},
		{"a label is missing", model.Selector{in("fabric", "tor")}, []Candidate{{"a", nil}, {"b", map[string]string{"x": "y"}}},
			`sel matches none of 2 FRRConfigurations; "a" would match if it had the label fabric=tor; "b" would match if it had the label fabric=tor`},
		{"another value", model.Selector{in("fabric", "tor")}, []Candidate{{"a", map[string]string{"fabric": "spine"}}},
			`sel matches none of 1 FRRConfigurations; "a" would match if it had the label fabric=tor instead of fabric=spine`},
		{"a misspelled key", model.Selector{in("fabric", "tor")}, []Candidate{{"a", map[string]string{"fabrik": "tor"}}},
			`sel matches none of 1 FRRConfigurations; "a" would match if it had the label fabric=tor (it has fabrik=tor: did you mean the key "fabric" or "fabrik"?)`},
		{"a misspelled value", model.Selector{in("fabric", "tor-42"), in("zone", "a")}, []Candidate{{"a", map[string]string{"fabric": "tor42"}}},
			`sel matches none of 1 FRRConfigurations; did you mean fabric=tor42, as on "a"?`},
		{"a misspelled name", model.Selector{in(model.LabelName, "recieve")}, []Candidate{{"receive", map[string]string{model.LabelName: "receive"}}},
			`sel matches none of 1 FRRConfigurations; did you mean the name "receive" instead of "recieve"?`},
		{"an unwanted label", model.Selector{{Key: "x", Operator: model.SelectorDoesNotExist}}, []Candidate{{"a", map[string]string{"x": "y"}}},
			`sel matches none of 1 FRRConfigurations; "a" would match without its label x=y`},
		{"far off", model.Selector{in("fabric", "tor"), in("zone", "a")}, []Candidate{{"a", map[string]string{"x": "y"}}},
			`sel matches none of 1 FRRConfigurations`},
		{"many near misses", model.Selector{in("f", "t")}, []Candidate{{"a", nil}, {"b", nil}, {"c", nil}, {"d", nil}, {"e", nil}},
			`sel matches none of 5 FRRConfigurations; "a" would match if it had the label f=t; "b" would match if it had the label f=t; "c" would match if it had the label f=t; and 2 more like these`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := NoMatch("sel", "FRRConfigurations", test.selector, test.candidates); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}
