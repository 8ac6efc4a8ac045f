package preview

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// hasAttributes reports whether a neighbor gets a route with attributes.
func hasAttributes(config *model.NodeConfig) bool {
	return slices.ContainsFunc(config.Routers, func(r model.Router) bool {
		return slices.ContainsFunc(r.Neighbors, func(n model.Neighbor) bool {
			return slices.ContainsFunc(n.Advertise, func(r model.Route) bool { return r.Attributes != model.Attributes{} })
		})
	})
}

// attributeCells stand beside those of prefixCells.
func attributeCells(routes []model.Route) []string {
	cells := make([]string, 0, len(routes))
	for _, r := range routes {
		var texts []string
		values := r.Attributes.Values()
		if values.LocalPreference != nil {
			texts = append(texts, fmt.Sprintf("local preference %d", *values.LocalPreference))
		}
		if values.MED != nil {
			texts = append(texts, fmt.Sprintf("MED %d", *values.MED))
		}
		if values.Prepend > 0 {
			texts = append(texts, fmt.Sprintf("AS prepended %d×", values.Prepend))
		}
		for _, community := range values.Communities {
			texts = append(texts, community.String())
		}
		if len(texts) == 0 {
			texts = []string{"-"}
		}
		cells = append(cells, strings.Join(texts, ", "))
	}
	return orDash(cells)
}

// policies prints nothing where there are none.
func (p *printer) policies(preview *Preview) {
	if len(preview.Plan.Policies) == 0 {
		return
	}
	p.printf("\n")
	lines := []string{"ROUTEPOLICY\tTARGET\tNODES\tACCEPTED\tRENDERED"}
	for i := range preview.Plan.Policies {
		policy := &preview.Plan.Policies[i]
		for j, a := range policy.Ancestors {
			accepted, rendered := "-", "-"
			for _, c := range preview.Policies[i].Status.Ancestors[j].Conditions {
				switch c.Type {
				case v1alpha1.RoutePolicyAccepted:
					accepted = string(c.Status)
				case v1alpha1.RoutePolicyRendered:
					rendered = c.Reason
				}
			}
			lines = append(lines, strings.Join([]string{
				policy.Policy, a.RA, fmt.Sprintf("%d of %d", a.Tally.Rendered, a.Tally.Selected), accepted, rendered,
			}, "\t"))
		}
	}
	p.rows(lines)
}
