package webhook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// change is what a review asks about. before is nil where something is
// created, after where it is deleted.
type change struct {
	before, after client.Object
	// specChanged is not set if only labels and the like changed: users must be
	// able to take a finalizer off an object that is older than the webhook.
	specChanged bool
}

// newChange reads a review, nil where there is nothing to check.
func newChange(request *admission.Request, now time.Time) (*change, error) {
	before, err := decode(request.Kind.Kind, request.OldObject)
	if err != nil {
		return nil, err
	}
	after, err := decode(request.Kind.Kind, request.Object)
	if err != nil {
		return nil, err
	}
	switch {
	case request.Operation == admissionv1.Delete:
		after = nil
	case deleting(request, after):
		return nil, nil
	}
	if own(before) || own(after) {
		return nil, nil
	}
	if after != nil && after.GetName() == "" {
		after.SetName(after.GetGenerateName())
	}
	if after != nil && unset(after.GetCreationTimestamp()) {
		// Of two objects that exclude each other, the older one wins.
		after.SetCreationTimestamp(metav1.NewTime(now))
	}
	return &change{before: before, after: after, specChanged: after != nil && (before == nil || !sameSpec(before, after))}, nil
}

func unset(t metav1.Time) bool { return t.IsZero() }

func decode(kind string, raw runtime.RawExtension) (client.Object, error) {
	if len(raw.Raw) == 0 {
		return nil, nil
	}
	var object client.Object
	switch kind {
	case "RouteAdvertisements":
		object = &ovnv1.RouteAdvertisements{}
	case "RoutePolicy":
		object = &v1alpha1.RoutePolicy{}
	case "DrainPolicy":
		object = &v1alpha1.DrainPolicy{}
	case "ClusterUserDefinedNetwork":
		object = &ovnv1.ClusterUserDefinedNetwork{}
	case "FRRConfiguration":
		object = &frrk8sv1beta1.FRRConfiguration{}
	default:
		return nil, fmt.Errorf("it does not check objects of kind %s: take them out of its ValidatingWebhookConfiguration", kind)
	}
	if err := json.Unmarshal(raw.Raw, object); err != nil {
		return nil, fmt.Errorf("the %s can't be read: %w", kind, err)
	}
	return object, nil
}

// own reports whether a controller wrote the object, this operator or
// OVN-Kubernetes' own.
func own(object client.Object) bool {
	switch o := object.(type) {
	case *ovnv1.RouteAdvertisements:
		return o.Name == model.ManagedName && o.Labels[model.LabelManaged] == "true"
	case *frrk8sv1beta1.FRRConfiguration:
		return snapshot.IsGenerated(o)
	default:
		return false
	}
}

func sameSpec(before, after client.Object) bool {
	switch a := after.(type) {
	case *ovnv1.RouteAdvertisements:
		return reflect.DeepEqual(before.(*ovnv1.RouteAdvertisements).Spec, a.Spec)
	case *v1alpha1.RoutePolicy:
		return reflect.DeepEqual(before.(*v1alpha1.RoutePolicy).Spec, a.Spec)
	case *v1alpha1.DrainPolicy:
		return reflect.DeepEqual(before.(*v1alpha1.DrainPolicy).Spec, a.Spec)
	case *ovnv1.ClusterUserDefinedNetwork:
		return reflect.DeepEqual(before.(*ovnv1.ClusterUserDefinedNetwork).Spec, a.Spec)
	case *frrk8sv1beta1.FRRConfiguration:
		return reflect.DeepEqual(before.(*frrk8sv1beta1.FRRConfiguration).Spec, a.Spec)
	default:
		return false
	}
}

// fault says what is wrong with the object whatever else there is or will be:
// what is invalid where there is nothing else, nothing else can mend.
// FRRConfigurations are frr-k8s' to judge, which has a webhook of its own.
func (c *change) fault(settings model.Settings) string {
	switch after := c.after.(type) {
	case *ovnv1.RouteAdvertisements:
		alone := snapshot.Cluster(&snapshot.Objects{RouteAdvertisements: []ovnv1.RouteAdvertisements{*after}}, settings)
		for _, f := range plan.Compile(&alone).Verdict(after.Name, model.Tally{}).Findings {
			if f.Outcome == model.Invalid {
				return f.Message
			}
		}
	case *v1alpha1.RoutePolicy:
		alone := snapshot.Cluster(&snapshot.Objects{Policies: []v1alpha1.RoutePolicy{*after}}, settings)
		if p := alone.Policies[0].Problem; p != nil && p.Outcome == model.Invalid {
			return p.Message
		}
	case *v1alpha1.DrainPolicy:
		if p := snapshot.DrainPolicy(after).Problem; p != nil && p.Outcome == model.Invalid {
			return p.Message
		}
	case *ovnv1.ClusterUserDefinedNetwork:
		alone := snapshot.Cluster(&snapshot.Objects{CUDNs: []ovnv1.ClusterUserDefinedNetwork{*after}}, settings)
		for i := range alone.Networks {
			if p := alone.Networks[i].Problem; p != nil && p.Outcome == model.Invalid {
				return p.Message
			}
		}
	}
	return ""
}

// views are the objects with and without the change. Lists that the change
// does not touch are shared, with the cache too.
func (c *change) views(objects *snapshot.Objects) (with, without *snapshot.Objects) {
	a, b := *objects, *objects
	switch c.example().(type) {
	case *ovnv1.RouteAdvertisements:
		a.RouteAdvertisements = replaced(a.RouteAdvertisements, c.before, c.after)
		b.RouteAdvertisements = replaced(b.RouteAdvertisements, c.after, c.before)
	case *v1alpha1.RoutePolicy:
		a.Policies = replaced(a.Policies, c.before, c.after)
		b.Policies = replaced(b.Policies, c.after, c.before)
	case *v1alpha1.DrainPolicy:
		a.Drains = replaced(a.Drains, c.before, c.after)
		b.Drains = replaced(b.Drains, c.after, c.before)
	case *ovnv1.ClusterUserDefinedNetwork:
		a.CUDNs = replaced(a.CUDNs, c.before, c.after)
		b.CUDNs = replaced(b.CUDNs, c.after, c.before)
	case *frrk8sv1beta1.FRRConfiguration:
		a.FRRConfigurations = replaced(a.FRRConfigurations, c.before, c.after)
		b.FRRConfigurations = replaced(b.FRRConfigurations, c.after, c.before)
	}
	return &a, &b
}

// replaced returns the list without the object that goes, and with the one
// that comes. The cache may be ahead of the review or behind it, and hold
// either of them.
func replaced[T any, P interface {
	*T
	client.Object
}](list []T, goes, comes client.Object) []T {
	drop := func(item T) bool {
		p := P(&item)
		for _, o := range []client.Object{goes, comes} {
			if o != nil && o.GetNamespace() == p.GetNamespace() && o.GetName() == p.GetName() {
				return true
			}
		}
		return false
	}
	out := slices.DeleteFunc(slices.Clone(list), drop)
	if comes != nil {
		out = append(out, *comes.(P))
	}
	return out
}

// example is the object, as it will be if it will be.
func (c *change) example() client.Object {
	if c.after != nil {
		return c.after
	}
	return c.before
}

// about reports whether the trouble is that of the very RouteAdvertisements object,
// RoutePolicy or DrainPolicy that is applied: of its own troubles it hears all, new or not.
func (c *change) about(t *trouble) bool {
	switch after := c.after.(type) {
	case *ovnv1.RouteAdvertisements:
		return t.policy == "" && after.Name == t.ra
	case *v1alpha1.RoutePolicy:
		return after.Name == t.policy
	case *v1alpha1.DrainPolicy:
		return after.Name == t.drainPolicy()
	default:
		return false
	}
}

// expected reports whether a network is only waiting for what OVN-Kubernetes
// does with every new network, or a template for whoever changes it.
func (c *change) expected(t *trouble) bool {
	if finding.IsTemplateBeingChanged(t.Finding) {
		return true
	}
	cudn, ok := c.after.(*ovnv1.ClusterUserDefinedNetwork)
	return ok && c.before == nil && t.Outcome == model.Pending && t.Scope == model.Scope{Kind: model.ScopeNetwork, Name: cudn.Name}
}

// remarks are what the planner does not see.
func (c *change) remarks(nodes []corev1.Node) []string {
	switch after := c.after.(type) {
	case *ovnv1.RouteAdvertisements:
		if after.Name == model.ManagedName {
			return []string{finding.NameTaken(after.Name).Message}
		}
	case *frrk8sv1beta1.FRRConfiguration:
		suffix := render.SuffixOf(after.Name)
		if slices.ContainsFunc(nodes, func(n corev1.Node) bool { return render.Suffix(n.Name) == suffix }) {
			return []string{warning(render.NameTaken(after.Namespace + "/" + after.Name))}
		}
	}
	return nil
}
