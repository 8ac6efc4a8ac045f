package webhook

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func policy(name, target string, match v1alpha1.PolicyMatch) *v1alpha1.RoutePolicy {
	return &v1alpha1.RoutePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.RoutePolicySpec{
			TargetRefs: []v1alpha1.PolicyTargetReference{{Group: "k8s.ovn.org", Kind: "RouteAdvertisements", Name: target}},
			Rules:      []v1alpha1.PolicyRule{{Match: match, Set: &v1alpha1.PolicyAttributes{Communities: []v1alpha1.PolicyCommunity{"64512:1"}}}},
		},
	}
}

func selecting(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func TestReviewsPolicies(t *testing.T) {
	for name, test := range map[string]struct {
		object *v1alpha1.RoutePolicy
		denied bool
		want   string
	}{
		"one that is fine":        {object: policy("a", "networks", v1alpha1.PolicyMatch{})},
		"a selector that is none": {object: policy("a", "networks", v1alpha1.PolicyMatch{NodeSelector: selecting("-", "")}), denied: true, want: "spec.rules[0].match.nodeSelector can't be used"},
		"a target with a typo":    {object: policy("a", "network", v1alpha1.PolicyMatch{}), want: `RoutePolicy a (RouteAdvertisements network): there is no RouteAdvertisements "network": did you mean "networks"?`},
		"networks that are not the target's": {object: policy("a", "networks", v1alpha1.PolicyMatch{NetworkSelector: selecting(model.LabelName, "net-0")}),
			want: "match.networkSelector matches none"},
		"a neighbor with a typo": {object: policy("a", "networks", v1alpha1.PolicyMatch{Neighbors: []v1alpha1.PolicyNeighbor{"192.0.2.11"}}), want: "did you mean 192.0.2.1?"},
		// Nobody has looked at all nodes, of which one may have it.
		"a prefix of some node":   {object: policy("a", "default", v1alpha1.PolicyMatch{Prefixes: []v1alpha1.PrefixMatch{{Prefix: "10.1.144.0/24"}}})},
		"a rack with its routes":  {object: policy("a", "networks", v1alpha1.PolicyMatch{NodeSelector: selecting("rack", "7")})},
		"a rack that isn't there": {object: policy("a", "networks", v1alpha1.PolicyMatch{NodeSelector: selecting("rack", "77")}), want: "match.nodeSelector matches none of 500 nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			response := validator(cluster(500, 2)).Handle(FromAPIServer(t.Context()), created(t, test.object))
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

// Of a small cluster all nodes are looked at.
func TestWarnsOfAPrefixThatNoNodeHas(t *testing.T) {
	for prefix, want := range map[string]string{"10.0.2.0/24": "", "10.0.0.0/16": "add le: 32"} {
		object := policy("a", "default", v1alpha1.PolicyMatch{Prefixes: []v1alpha1.PrefixMatch{{Prefix: prefix}}})
		response := validator(cluster(3, 1)).Handle(FromAPIServer(t.Context()), created(t, object))
		if got := strings.Join(response.Warnings, "\n"); !response.Allowed || want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", prefix, got, want)
		}
	}
}

// Who deletes an object hears which policies lose their target.
func TestWarnsOfPoliciesWithoutTarget(t *testing.T) {
	with := cluster(3, 1)
	with.objects = append(with.objects, policy("a", "networks", v1alpha1.PolicyMatch{}))
	response := validator(with).Handle(FromAPIServer(t.Context()), review(t, admissionv1.Delete, advertisement("networks", false), nil))
	if got := strings.Join(response.Warnings, "\n"); !response.Allowed || !strings.Contains(got, `RoutePolicy a (RouteAdvertisements networks): there is no RouteAdvertisements "networks"`) {
		t.Errorf("%q", got)
	}
}
