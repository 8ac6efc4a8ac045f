package webhook

import (
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

func drainPolicy(name string, age time.Duration, selector *metav1.LabelSelector) *v1alpha1.DrainPolicy {
	return &v1alpha1.DrainPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(epoch.Add(-age))},
		Spec:       v1alpha1.DrainPolicySpec{NodeSelector: selector},
	}
}

func TestReviewsDrainPolicies(t *testing.T) {
	tainted := drainPolicy("b", 0, nil)
	tainted.Spec.When.Taints = []v1alpha1.DrainTaint{{Key: "maintenance:NoSchedule"}}
	for name, test := range map[string]struct {
		object *v1alpha1.DrainPolicy
		denied bool
		want   string
	}{
		"one that is fine":        {object: drainPolicy("b", 0, selecting("rack", "6"))},
		"a selector that is none": {object: drainPolicy("b", 0, selecting("-", "")), denied: true, want: "spec.nodeSelector can't be used"},
		"a taint that is none":    {object: tainted, denied: true, want: `write key: maintenance, effect: NoSchedule`},
		"a rack that isn't there": {object: drainPolicy("b", 0, selecting("rack", "77")), want: "DrainPolicy b: spec.nodeSelector matches none of 100 nodes"},
		"nodes that an older one has": {object: drainPolicy("b", 0, selecting("rack", "7")),
			want: `DrainPolicy b: DrainPolicy "a" is older, and counts for 5 nodes that this one selects, too`},
	} {
		t.Run(name, func(t *testing.T) {
			with := cluster(100, 1)
			with.objects = append(with.objects, drainPolicy("a", time.Hour, selecting("rack", "7")))
			response := validator(with).Handle(FromAPIServer(t.Context()), created(t, test.object))
			got := strings.Join(response.Warnings, "\n")
			if test.denied {
				got = response.Result.Message
			}
			if response.Allowed == test.denied || test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("allowed %v with %q, want denied %v with %q", response.Allowed, got, test.denied, test.want)
			}
		})
	}
}

// Each policy is told of by its name, though the message is the same.
func TestWarnsOfDrainPoliciesThatLoseTheirNodes(t *testing.T) {
	with := cluster(3, 1)
	with.objects = append(with.objects, drainPolicy("a", time.Hour, nil), drainPolicy("b", 0, selecting("rack", "0")), drainPolicy("c", 0, selecting("rack", "1")))
	before, after := drainPolicy("a", time.Hour, selecting("rack", "2")), drainPolicy("a", time.Hour, nil)
	response := validator(with).Handle(FromAPIServer(t.Context()), review(t, admissionv1.Update, before, after))
	got := strings.Join(response.Warnings, "\n")
	for _, want := range []string{`DrainPolicy b: DrainPolicy "a" is older`, `DrainPolicy c: DrainPolicy "a" is older`} {
		if !response.Allowed || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
