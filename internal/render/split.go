package render

import (
	"cmp"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// maxRouters is how many routers frr-k8s' CRD allows per object.
const maxRouters = 50

// part is what goes into one object.
type part struct {
	routers  []model.Router
	profiles []model.BFDProfile
}

// split cuts a namespace's configuration into parts that frr-k8s' CRD takes, none
// for no routers at all.
func split(c *model.NodeConfig) []part { return splitVNIs(splitRouters(c), c.BFDProfiles) }

// splitRouters cuts into parts of at most maxRouters routers.
//
// frr-k8s checks every object by itself before it merges them: the VRFs that a
// router imports must be routers of the same object. So a router may be in
// several parts, but with its neighbors and prefixes in one of them only, and
// bare (ASN, ID, VRF) in the others, which merges without a conflict. The two
// imports of a pair of VRFs stay together: half a leak would let packets go
// one way only while the other part is on its way.
func splitRouters(c *model.NodeConfig) []part {
	if len(c.Routers) == 0 {
		return nil
	}
	if len(c.Routers) <= maxRouters {
		return []part{{routers: c.Routers, profiles: c.BFDProfiles}}
	}
	s := newSplitter(c.Routers)
	for _, pair := range s.pairs() {
		s.place(pair)
	}
	for i := range c.Routers {
		s.placeAlone(i)
	}
	parts := make([]part, 0, len(s.members))
	for i := range s.members {
		parts = append(parts, part{routers: s.routersOf(i)})
	}
	assignProfiles(parts, c.BFDProfiles)
	return parts
}

// splitter knows routers by their index.
type splitter struct {
	routers []model.Router
	byVRF   map[string]int
	// members are each part's routers; home is the part that has a router's
	// neighbors and prefixes, -1 before it has one; pairHome the part that has
	// a pair's imports.
	members  []map[int]bool
	home     []int
	pairHome map[importPair]int
}

// importPair are two routers that import from each other, either way or both;
// the one with more pairs comes first, so that a star's center leads.
type importPair struct{ hub, leaf int }

func newSplitter(routers []model.Router) *splitter {
	s := &splitter{
		routers:  routers,
		byVRF:    make(map[string]int, len(routers)),
		home:     make([]int, len(routers)),
		pairHome: map[importPair]int{},
	}
	for i := range routers {
		s.byVRF[cmp.Or(routers[i].VRF, model.DefaultVRF)] = i
		s.home[i] = -1
	}
	return s
}

// pairs lists what imports require to be together, hub by hub.
func (s *splitter) pairs() []importPair {
	linked := map[importPair]bool{}
	degree := make([]int, len(s.routers))
	for i := range s.routers {
		for _, vrf := range s.routers[i].Imports {
			j, known := s.byVRF[vrf]
			pair := importPair{min(i, j), max(i, j)}
			if !known || i == j || linked[pair] {
				continue
			}
			linked[pair] = true
			degree[i]++
			degree[j]++
		}
	}
	out := make([]importPair, 0, len(linked))
	for pair := range linked {
		if degree[pair.leaf] > degree[pair.hub] {
			pair = importPair{pair.leaf, pair.hub}
		}
		out = append(out, pair)
	}
	slices.SortFunc(out, func(a, b importPair) int {
		return cmp.Or(-cmp.Compare(degree[a.hub], degree[b.hub]), cmp.Compare(a.hub, b.hub), cmp.Compare(a.leaf, b.leaf))
	})
	return out
}

// place puts a pair into the part that grows least by it.
func (s *splitter) place(pair importPair) {
	best, bestGrowth := -1, 3
	for i, members := range s.members {
		growth := 0
		for _, r := range [2]int{pair.hub, pair.leaf} {
			if !members[r] {
				growth++
			}
		}
		if len(members)+growth <= maxRouters && growth < bestGrowth {
			best, bestGrowth = i, growth
		}
	}
	if best < 0 {
		best = s.newPart()
	}
	s.pairHome[pair] = best
	s.join(best, pair.hub)
	s.join(best, pair.leaf)
}

// placeAlone puts a router that has no pair into the first part with room.
func (s *splitter) placeAlone(router int) {
	if s.home[router] >= 0 {
		return
	}
	for i, members := range s.members {
		if len(members) < maxRouters {
			s.join(i, router)
			return
		}
	}
	s.join(s.newPart(), router)
}

func (s *splitter) newPart() int {
	s.members = append(s.members, map[int]bool{})
	return len(s.members) - 1
}

func (s *splitter) join(part, router int) {
	s.members[part][router] = true
	if s.home[router] < 0 {
		s.home[router] = part
	}
}

// routersOf builds a part's routers, in the order of the whole.
func (s *splitter) routersOf(part int) []model.Router {
	out := make([]model.Router, 0, len(s.members[part]))
	for i := range s.routers {
		if !s.members[part][i] {
			continue
		}
		whole := &s.routers[i]
		r := model.Router{ASN: whole.ASN, ID: whole.ID, VRF: whole.VRF}
		if s.home[i] == part {
			r.Routes, r.Neighbors, r.EVPN = whole.Routes, whole.Neighbors, whole.EVPN
		}
		for _, vrf := range whole.Imports {
			if s.importHome(i, vrf) == part {
				r.Imports = append(r.Imports, vrf)
			}
		}
		out = append(out, r)
	}
	return out
}

// importHome is the part that a router's import goes to. One of a VRF that has
// no router is for frr-k8s to refuse, in the router's own part.
func (s *splitter) importHome(router int, vrf string) int {
	other, known := s.byVRF[vrf]
	if !known {
		return s.home[router]
	}
	for _, pair := range [2]importPair{{router, other}, {other, router}} {
		if home, found := s.pairHome[pair]; found {
			return home
		}
	}
	return s.home[router]
}

// assignProfiles gives each part the BFD profiles that its neighbors name, because
// frr-k8s looks for them in the same object only. Profiles that no neighbor names go
// to the first part.
func assignProfiles(parts []part, profiles []model.BFDProfile) {
	for _, profile := range profiles {
		named := false
		for i := range parts {
			if parts[i].names(profile.Name) {
				parts[i].profiles = append(parts[i].profiles, profile)
				named = true
			}
		}
		if !named {
			parts[0].profiles = append(parts[0].profiles, profile)
		}
	}
}

func (p *part) names(profile string) bool {
	for i := range p.routers {
		for j := range p.routers[i].Neighbors {
			if p.routers[i].Neighbors[j].BFDProfile == profile {
				return true
			}
		}
	}
	return false
}
