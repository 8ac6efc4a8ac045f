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
	standings   map[string]standing
}

// standing is what another controller has to do with a RouteAdvertisements object.
type standing uint8

const (
	// decided objects are this operator's alone, left ones the other controller's.
	decided standing = iota
	left
	// shared ones are rendered by both, and accepted by the other.
	shared
)

func standingOf(verdict *model.Verdict) standing {
	switch {
	case verdict.StandAside != "":
		return left
	case verdict.Beside:
		return shared
	default:
		return decided
	}
}

// NewRevision returns a revision without a number yet.
func NewRevision(compiled *plan.Compiled, nodes *snapshot.NodeReader) *Revision {
	r := &Revision{Compiled: compiled, Nodes: nodes, advertisers: map[string][]string{}, standings: map[string]standing{}}
	for _, ra := range compiled.RouteAdvertisements() {
		// Whether there are nodes doesn't matter here.
		verdict := compiled.Verdict(ra, model.Tally{Selected: 1})
		r.standings[ra] = standingOf(&verdict)
		if verdict.Beside {
			continue
		}
		for _, network := range verdict.Networks {
			r.advertisers[network] = append(r.advertisers[network], ra)
		}
	}
	return r
}

// Advertisers are the RouteAdvertisements, sorted, that advertise a network and are this
// operator's to name in the network's annotation.
func (r *Revision) Advertisers(network string) []string { return r.advertisers[network] }

// Decides reports whether a RouteAdvertisements object is there and this
// operator's alone to work on.
func (r *Revision) Decides(ra string) bool {
	standing, known := r.standings[ra]
	return known && standing == decided
}

// StandsAside reports whether another controller works on a RouteAdvertisements
// object that is there, and this operator does not.
func (r *Revision) StandsAside(ra string) bool { return r.standings[ra] == left }

// AcceptedElsewhere reports whether it is for another controller to accept a
// RouteAdvertisements object that is there.
func (r *Revision) AcceptedElsewhere(ra string) bool { return r.standings[ra] != decided }

// SameAdvertisers reports whether the two agree about all networks.
func (r *Revision) SameAdvertisers(other *Revision) bool {
	if other == nil || len(r.advertisers) != len(other.advertisers) || len(r.standings) != len(other.standings) {
		return false
	}
	for network, ras := range r.advertisers {
		if !slices.Equal(ras, other.advertisers[network]) {
			return false
		}
	}
	for ra, standing := range r.standings {
		if before, known := other.standings[ra]; !known || before != standing {
			return false
		}
	}
	return true
}
