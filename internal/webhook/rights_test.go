package webhook

import (
	"errors"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

func TestOnlyWhoMayReadOtherObjectsIsToldOfThem(t *testing.T) {
	overlapping := network(901)
	overlapping.Spec.Network.Layer3.Subnets[0].CIDR = "16.0.128.0/17"
	request := created(t, overlapping)
	request.UserInfo = authenticationv1.UserInfo{
		Username: "tenant", UID: "1", Groups: []string{"shops"}, Extra: map[string]authenticationv1.ExtraValue{"scopes": {"all"}},
	}
	const others = "16.0.0.0/16"
	if all := validator(cluster(3, 3)).Handle(FromAPIServer(t.Context()), request); !strings.Contains(strings.Join(all.Warnings, ""), others) {
		t.Fatalf("there is nothing to keep from anybody: %q", all.Warnings)
	}
	for _, kind := range quoted {
		response := validatorFor(cluster(3, 3), func(a authorizer.Attributes) (authorizer.Decision, error) {
			who := a.GetUser()
			if who.GetName() != "tenant" || who.GetUID() != "1" || who.GetGroups()[0] != "shops" || who.GetExtra()["scopes"][0] != "all" {
				t.Errorf("asked for %+v", who)
			}
			if a.GetVerb() != "list" || a.GetNamespace() != "" || !a.IsResourceRequest() {
				t.Errorf("asked whether they may %+v", a)
			}
			if a.GetAPIGroup() == kind.Group && a.GetResource() == kind.Resource {
				return authorizer.DecisionNoOpinion, nil
			}
			return authorizer.DecisionAllow, nil
		}).Handle(FromAPIServer(t.Context()), request)
		if !response.Allowed || len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], kind.String()) {
			t.Errorf("without %s: %+v", kind, response)
		}
	}
	failing := validatorFor(cluster(3, 3), func(authorizer.Attributes) (authorizer.Decision, error) {
		return authorizer.DecisionAllow, errors.New("10.9.8.7 does not answer")
	}).Handle(FromAPIServer(t.Context()), request)
	if text := strings.Join(failing.Warnings, ""); !failing.Allowed || strings.Contains(text, others) || strings.Contains(text, "10.9.8.7") || text == "" {
		t.Errorf("where nobody can tell: %+v", failing)
	}
}
