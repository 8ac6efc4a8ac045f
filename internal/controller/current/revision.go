package current

import (
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// Revision is what was last compiled, with what is needed to read nodes for
// it. It is immutable once it is part of a Plan.
type Revision struct {
	*plan.Compiled
	Nodes *snapshot.NodeReader
	// Number only grows.
	Number uint64

	advertisers map[string][]string
	decides     map[string]bool
}

// NewRevision returns a revision without a number yet.
func NewRevision(compiled *plan.Compiled, nodes *snapshot.NodeReader) *Revision {
	r := &Revision{Compiled: compiled, Nodes: nodes, advertisers: map[string][]string{}, decides: map[string]bool{}}
	for _, ra := range compiled.RouteAdvertisements() {
		// Whether there are nodes doesn't matter here.
		verdict := compiled.Verdict(ra, model.Tally{Selected: 1})
		r.decides[ra] = verdict.StandAside == ""
		for _, network := range verdict.Networks {
			r.advertisers[network] = append(r.advertisers[network], ra)
		}
	}
	return r
}

// Advertisers are the RouteAdvertisements that advertise a network, sorted.
func (r *Revision) Advertisers(network string) []string { return r.advertisers[network] }

// Decides reports whether a RouteAdvertisements object is there and this
// operator's to work on.
func (r *Revision) Decides(ra string) bool { return r.decides[ra] }

// StandsAside reports whether another controller works on a RouteAdvertisements
// object that is there.
func (r *Revision) StandsAside(ra string) bool {
	decides, known := r.decides[ra]
	return known && !decides
}

// SameAdvertisers reports whether the two agree about all networks.
func (r *Revision) SameAdvertisers(other *Revision) bool {
	if other == nil || len(r.advertisers) != len(other.advertisers) || len(r.decides) != len(other.decides) {
		return false
	}
	for network, ras := range r.advertisers {
		if !slices.Equal(ras, other.advertisers[network]) {
			return false
		}
	}
	for ra, decides := range r.decides {
		if before, known := other.decides[ra]; !known || before != decides {
			return false
		}
	}
	return true
}
