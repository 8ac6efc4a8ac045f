package plan

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// scalar is an attribute of which a route has one, unlike communities.
type scalar int

// The scalars.
const (
	localPreference scalar = iota
	med
	prepend
	scalarCount
)

// rawScalars are those that frr-k8s has no fields for.
var rawScalars = [...]scalar{med, prepend}

// field is the one of a policy's API.
func (s scalar) field() string { return [...]string{"localPreference", "med", "prepend"}[s] }

// of returns the attribute, if it is set.
func (s scalar) of(v *model.AttributeValues) (value uint32, set bool) {
	switch {
	case s == localPreference && v.LocalPreference != nil:
		return *v.LocalPreference, true
	case s == med && v.MED != nil:
		return *v.MED, true
	case s == prepend && v.Prepend > 0:
		return uint32(v.Prepend), true
	default:
		return 0, false
	}
}

// copy sets the attribute to that of from, which may be none.
func (s scalar) copy(to, from *model.AttributeValues) {
	switch s {
	case localPreference:
		to.LocalPreference = from.LocalPreference
	case med:
		to.MED = from.MED
	default:
		to.Prepend = from.Prepend
	}
}

// clear takes the attribute away.
func (s scalar) clear(v *model.AttributeValues) { s.copy(v, &model.AttributeValues{}) }

// without returns the attributes but for that one.
func (s scalar) without(a model.Attributes) model.Attributes {
	values := a.Values()
	s.clear(&values)
	return model.MakeAttributes(values)
}

func needsRaw(r model.Route) bool { return r.Attributes.NeedsRaw() }

// typedRoutes have the attributes that frr-k8s has fields for. The list is shared, so that
// it is left alone.
func typedRoutes(routes []model.Route) []model.Route {
	at := slices.IndexFunc(routes, needsRaw)
	if at < 0 {
		return routes
	}
	out := slices.Clone(routes)
	for i := at; i < len(out); i++ {
		out[i].Attributes = out[i].Attributes.Typed()
	}
	return out
}
