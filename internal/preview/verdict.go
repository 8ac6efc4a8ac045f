package preview

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// withStatus gives each planned RouteAdvertisements object the status that the
// manager would write, and adds the one that the manager makes for itself.
func withStatus(objects *snapshot.Objects, settings model.Settings, verdicts []model.Verdict) []*ovnv1.RouteAdvertisements {
	byName := make(map[string]*ovnv1.RouteAdvertisements, len(objects.RouteAdvertisements))
	for i := range objects.RouteAdvertisements {
		byName[objects.RouteAdvertisements[i].Name] = &objects.RouteAdvertisements[i]
	}
	if managed := snapshot.ManagedRouteAdvertisements(objects, settings); managed != nil {
		byName[managed.Name] = managed
	}
	var out []*ovnv1.RouteAdvertisements
	for i := range verdicts {
		object := byName[verdicts[i].RA]
		if object == nil {
			continue
		}
		object = object.DeepCopy()
		setStatus(object, &verdicts[i])
		out = append(out, object)
	}
	slices.SortFunc(out, func(a, b *ovnv1.RouteAdvertisements) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// withPolicyStatus gives each policy the status that the manager would write.
func withPolicyStatus(objects []v1alpha1.RoutePolicy, verdicts []model.PolicyVerdict) []*v1alpha1.RoutePolicy {
	var out []*v1alpha1.RoutePolicy
	for i := range verdicts {
		at := slices.IndexFunc(objects, func(p v1alpha1.RoutePolicy) bool { return p.Name == verdicts[i].Policy })
		policy := objects[at].DeepCopy()
		policy.Status.Ancestors = status.PolicyAncestors(&verdicts[i], policy.Status.Ancestors, metav1.Time{})
		out = append(out, policy)
	}
	return out
}

// setStatus keeps the conditions of others. It leaves out FRRConfigured, which
// comes from what nodes report after the plan was carried out, and times.
func setStatus(object *ovnv1.RouteAdvertisements, verdict *model.Verdict) {
	existing := object.Status.Conditions
	planned := status.Conditions(*verdict, true, existing, metav1.Time{})
	planned = slices.DeleteFunc(planned, func(c metav1.Condition) bool { return c.Type == status.FRRConfigured })
	if text := status.Text(planned); text != "" {
		object.Status.Status = text
	}
	kept := slices.DeleteFunc(slices.Clone(existing), func(c metav1.Condition) bool {
		return c.Type == status.Rendered || c.Type == status.FRRConfigured ||
			slices.ContainsFunc(planned, func(p metav1.Condition) bool { return p.Type == c.Type })
	})
	object.Status.Conditions = slices.Concat(planned, kept)
	slices.SortFunc(object.Status.Conditions, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
}
