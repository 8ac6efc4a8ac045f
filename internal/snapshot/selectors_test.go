package snapshot

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestSelector(t *testing.T) {
	for _, row := range []struct {
		name, manifest string
		wanted         model.Selector
		message        string
	}{
		{name: "empty", manifest: `{}`},
		{name: "labels and expressions, sorted", manifest: `{matchLabels: {z: "1", a: ""}, matchExpressions: [{key: m, operator: In, values: [z, x, z]}, {key: m, operator: Exists}]}`,
			wanted: model.Selector{in("a", ""), {Key: "m", Operator: "Exists"}, in("m", "x", "z"), in("z", "1")}},
		{name: "absence", manifest: `{matchExpressions: [{key: a, operator: DoesNotExist}, {key: b, operator: NotIn, values: [x]}]}`,
			wanted: model.Selector{{Key: "a", Operator: "DoesNotExist"}, {Key: "b", Operator: "NotIn", Values: []string{"x"}}}},
		{name: "unknown operator", manifest: `{matchExpressions: [{key: a, operator: Is, values: [x]}]}`,
			message: `spec.field can't be used: operator "Is" for key "a" is unknown: use In, NotIn, Exists or DoesNotExist`},
		{name: "In without values", manifest: `{matchExpressions: [{key: a, operator: In}]}`,
			message: `spec.field can't be used: operator In for key "a" needs values: add some, or use Exists or DoesNotExist`},
		{name: "Exists with values", manifest: `{matchExpressions: [{key: a, operator: Exists, values: [z, x]}]}`,
			message: `spec.field can't be used: operator Exists for key "a" takes no values: remove x, z, or use In or NotIn`},
		{name: "bad key", manifest: `{matchLabels: {"a b": c}}`, message: `spec.field can't be used: "a b" is no label key (`},
		{name: "bad value", manifest: `{matchLabels: {a: "b c"}}`, message: `spec.field can't be used: "b c" for key "a" is no label value (`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := object[metav1.LabelSelector](t, row.manifest)
			got, problem := selector(&s, "spec.field")
			same(t, got, row.wanted)
			switch {
			case row.message == "" && problem != nil:
				t.Fatalf("unexpected: %s", problem.Message)
			case row.message != "" && (problem == nil || problem.Outcome != model.Invalid || !strings.HasPrefix(problem.Message, row.message)):
				t.Fatalf("got %+v, wanted %s", problem, row.message)
			}
		})
	}
}
