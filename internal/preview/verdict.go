package preview

import (
	"slices"
	"strings"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
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

func setStatus(object *ovnv1.RouteAdvertisements, verdict *model.Verdict) {
	_ = object
	_ = verdict
}
