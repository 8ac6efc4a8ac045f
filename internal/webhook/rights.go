package webhook

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
)

// quoted are the kinds whose objects warnings name, with their subnets,
// neighbors and nodes.
var quoted = []schema.GroupResource{
	{Group: "k8s.ovn.org", Resource: "routeadvertisements"},
	{Group: "ovnbgp.io", Resource: "routepolicies"},
	{Group: "ovnbgp.io", Resource: "drainpolicies"},
	{Group: "k8s.ovn.org", Resource: "clusteruserdefinednetworks"},
	{Group: "k8s.ovn.org", Resource: "egressips"},
	{Group: "frrk8s.metallb.io", Resource: "frrconfigurations"},
	{Resource: "nodes"},
}

const (
	// Right after a right was granted or taken away, people try again.
	rightsKept   = time.Minute
	denialsKept  = 10 * time.Second
	withheldText = "not checked against other objects by the BGP operator: "
)

// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// NewRights asks the API server what users may do, and remembers the answers for
// a short while.
func NewRights(config *rest.Config) (authorizer.Authorizer, error) {
	reviews, err := authorizationv1.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: reviews, AllowCacheTTL: rightsKept, DenyCacheTTL: denialsKept,
		// A review can't wait for a second try.
		WebhookRetryBackoff: &wait.Backoff{Steps: 1},
	}.New()
}

// withheld says why the answer must not name other objects, "" if the user may read
// all that warnings name. A user who may apply a network is often a tenant, and
// overlaps would reveal other tenants' subnets.
func (v *Validator) withheld(ctx context.Context, who *authenticationv1.UserInfo) string {
	asking := &user.DefaultInfo{Name: who.Username, UID: who.UID, Groups: who.Groups, Extra: map[string][]string{}}
	for key, values := range who.Extra {
		asking.Extra[key] = values
	}
	for _, kind := range quoted {
		decision, _, err := v.rights.Authorize(ctx, authorizer.AttributesRecord{
			User: asking, Verb: "list", APIGroup: kind.Group, APIVersion: "*", Resource: kind.Resource, ResourceRequest: true,
		})
		if err != nil {
			return withheldText + "it could not find out what you may read"
		}
		if decision != authorizer.DecisionAllow {
			return withheldText + fmt.Sprintf("only who may list %s in all namespaces is told of them", kind)
		}
	}
	return ""
}
